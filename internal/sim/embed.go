package sim

import (
	"context"
	"hash/fnv"
	"math"
	"strconv"
	"strings"
	"unicode"

	"github.com/aratta-gateway/aratta/scri"
)

// The lengths of simulated vectors.
const (
	simDimensions = 256
	maxDimensions = 4096
)

// embed is the handler behind the dialect for vectors: of the same text always the
// same, of length one, and of texts with words in common near to each other.
func (s *Sim) embed(ctx context.Context, x *scri.Exchange) (*scri.EmbedResponse, error) {
	r := x.Embed
	if !s.has(r.Model) {
		return nil, s.unknown(r.Model)
	}
	if err := r.Validate(); err != nil {
		return nil, err
	}
	if err := s.load(ctx, r.Model); err != nil {
		return nil, err
	}
	n := simDimensions
	if r.Dimensions != nil {
		n = int(min(*r.Dimensions, maxDimensions))
	}
	resp := &scri.EmbedResponse{Model: r.Model}
	var tokens int64
	encodings := []string{scri.EncodingFloat} // of which the dialect makes base64
	for _, e := range r.Encodings {
		if e != scri.EncodingFloat && e != scri.EncodingBase64 {
			encodings = append(encodings, e)
		}
	}
	for _, encoding := range encodings {
		for i := range r.Input {
			text := inputText(&r.Input[i])
			v := scri.Embedding{Index: i, Encoding: encoding, Values: appendNumbers(nil, Vector(text, n))}
			if encoding != scri.EncodingFloat {
				v.Values = quantized(Vector(text, n), encoding)
			} else {
				tokens += max(words(text), 1)
			}
			resp.Embeddings = append(resp.Embeddings, v)
		}
	}
	resp.Usage = &scri.Usage{Input: &tokens}
	return resp, nil
}

func (s *Sim) unknown(model string) error {
	return &scri.Error{
		Kind: scri.ErrNotFound, Code: "model_not_found", Path: "/model", Message: "model \"" + model + "\" not found",
	}
}

// inputText is all that an input says.
func inputText(in *scri.EmbedInput) string {
	var b strings.Builder
	b.WriteString(in.Text.String())
	b.Write(in.Tokens)
	for i := range in.Parts {
		p := &in.Parts[i]
		b.WriteByte(' ')
		b.WriteString(p.Text.String())
		b.Write(p.Raw)
		if p.Media != nil {
			b.WriteString(p.Media.Data.String())
			b.WriteString(p.Media.URL.String())
		}
	}
	return b.String()
}

// Vector is the simulated vector of a text: each of its words adds to some numbers
// and takes from others, always the same, and the sum is brought to length one.
func Vector(text string, dimensions int) []float32 {
	sum := make([]float64, dimensions)
	fields := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if len(fields) == 0 {
		fields = []string{text}
	}
	for _, word := range fields {
		h := fnv.New64a()
		_, _ = h.Write([]byte(word)) // never fails
		for i, state := 0, h.Sum64(); i < dimensions; i++ {
			// One step of splitmix64: neighbouring numbers have nothing in common.
			state += 0x9e3779b97f4a7c15
			z := (state ^ state>>30) * 0xbf58476d1ce4e5b9
			z = (z ^ z>>27) * 0x94d049bb133111eb
			sum[i] += float64(int64(z^z>>31)) / math.MaxInt64
		}
	}
	var norm float64
	for _, f := range sum {
		norm += f * f
	}
	out := make([]float32, dimensions)
	for i, f := range sum {
		out[i] = float32(f / math.Sqrt(norm))
	}
	return out
}

// quantized is a vector in one of the short encodings; empty for one that is not known.
func quantized(list []float32, encoding string) []byte {
	var out []int
	switch encoding {
	case scri.EncodingInt8, scri.EncodingUint8:
		for _, f := range list {
			n := int(math.Round(float64(f) * math.MaxInt8))
			if encoding == scri.EncodingUint8 {
				n += 128
			}
			out = append(out, n)
		}
	case scri.EncodingBinary, scri.EncodingUbinary:
		for i := 0; i+8 <= len(list); i += 8 {
			n := 0
			for _, f := range list[i : i+8] {
				n <<= 1
				if f > 0 {
					n |= 1
				}
			}
			if encoding == scri.EncodingBinary {
				n -= 128
			}
			out = append(out, n)
		}
	default:
		return []byte("[]")
	}
	b := []byte{'['}
	for i, n := range out {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(n), 10)
	}
	return append(b, ']')
}

// appendNumbers writes a list of numbers.
func appendNumbers(b []byte, list []float32) []byte {
	b = append(b, '[')
	for i, f := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendFloat(b, float64(f), 'f', -1, 32)
	}
	return append(b, ']')
}
