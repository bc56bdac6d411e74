package dialect

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// WriteVector writes the values of a vector in the encoding that is wanted; ""
// stands for numbers, and for whatever came where those cannot be had. What has
// that encoding already is written as it stands. Between numbers and base64
// nothing is lost, but for numbers that no float32 can hold: then exact is false.
func WriteVector(w *wire.Writer, v *scri.Embedding, want string) (exact bool, err error) {
	switch {
	case want == v.Encoding, want == "" && v.Encoding != scri.EncodingBase64:
		w.Raw(v.Values)
		return true, nil
	case (want == "" || want == scri.EncodingFloat) && v.Encoding == scri.EncodingBase64:
		return true, writeFloats(w, v.Values)
	case want == scri.EncodingBase64 && v.Encoding == scri.EncodingFloat:
		return writeBase64(w, v.Values)
	default:
		return false, noVector(v.Encoding, want)
	}
}

// Inexact is the warning about vectors that WriteVector could not write exactly.
func Inexact() scri.Warning {
	return scri.Warning{
		Code: scri.WarnChanged, Path: "/embeddings", Detail: "some numbers have more digits than the float32s of base64 can hold",
	}
}

func noVector(got, want string) *scri.Error {
	e := &scri.Error{Kind: scri.ErrUnsupported, Message: fmt.Sprintf("the provider gave vectors as %s, of which %s cannot be made", got, want)}
	if got == scri.EncodingBytes {
		e.Message = "the provider gave vectors as bytes in base64 of which it did not say what they mean"
		e.Hint = "ask for an encoding that the model's documentation names"
	}
	return e
}

// Derived reports whether vectors in all the encodings can be made of numbers, so
// that a provider need not be asked for any.
func Derived(encodings []string) bool {
	return !slices.ContainsFunc(encodings, func(e string) bool { return e != scri.EncodingFloat && e != scri.EncodingBase64 })
}

// Wanted is the encoding that a client wants, for formats that know one at a time.
func Wanted(req *scri.EmbedRequest) string {
	if req == nil || len(req.Encodings) == 0 {
		return ""
	}
	return req.Encodings[0]
}

// GotEncoding is the encoding of values that came as the answer to req: a list of
// numbers or a string.
func GotEncoding(req *scri.EmbedRequest, values []byte) string {
	asked := Wanted(req)
	text := len(values) > 0 && values[0] == '"'
	bytes := strings.HasPrefix(asked, scri.EncodingBase64)
	switch {
	case text && bytes:
		return asked
	case text:
		return scri.EncodingBytes
	case asked == "" || asked == scri.EncodingBase64: // which it does not know
		return scri.EncodingFloat
	default:
		return strings.TrimPrefix(asked, scri.EncodingBase64+"_")
	}
}

// VectorLength is how many numbers a vector has; known is false where that
// depends on what its bytes mean.
func VectorLength(v *scri.Embedding) (n int, known bool) {
	switch v.Encoding {
	case scri.EncodingFloat:
		return strings.Count(alias(v.Values), ",") + 1, true
	case scri.EncodingBase64:
		text := strings.TrimRight(scri.QuotedText(v.Values).String(), "=")
		return len(text) * 3 / 4 / 4, true
	default:
		return 0, false
	}
}

// alias makes a string of b without copying.
func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// writeFloats writes float32s as numbers that read back as the same.
func writeFloats(w *wire.Writer, quoted []byte) error {
	if len(quoted) == 0 || quoted[0] != '"' {
		return badVector("it is no text")
	}
	raw, err := base64.StdEncoding.DecodeString(scri.QuotedText(quoted).String())
	switch {
	case err != nil:
		return badVector("it is no base64")
	case len(raw)%4 != 0:
		return badVector("its bytes are no float32s")
	}
	w.BeginArray()
	w.B = slices.Grow(w.B, 3*len(raw))
	for i := 0; i < len(raw); i += 4 {
		f := math.Float32frombits(binary.LittleEndian.Uint32(raw[i:]))
		if f64 := float64(f); math.IsNaN(f64) || math.IsInf(f64, 0) {
			return badVector("it holds what is no number")
		}
		w.Comma()
		w.B = appendFloat32(w.B, f)
	}
	w.EndArray()
	return nil
}

func badVector(why string) *scri.Error {
	return &scri.Error{Kind: scri.ErrUnavailable, Message: "a vector in base64 cannot be read: " + why}
}

func appendFloat32(b []byte, f float32) []byte {
	format := byte('f')
	if abs := math.Abs(float64(f)); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(b, float64(f), format, -1, 32)
}

// writeBase64 writes numbers as float32s in base64. list is known to be JSON, so what
// is no number in it is told from one by its parsing alone.
func writeBase64(w *wire.Writer, list []byte) (exact bool, err error) {
	rest := strings.TrimSpace(alias(list))
	if len(rest) < 2 || rest[0] != '[' {
		return false, badNumbers("they are no list")
	}
	rest = strings.TrimSpace(rest[1 : len(rest)-1])
	raw := make([]byte, 0, len(list)/2)
	exact = true
	for more := rest != ""; more; {
		var token string
		token, rest, more = strings.Cut(rest, ",")
		token = strings.TrimSpace(token)
		f, err := strconv.ParseFloat(token, 32)
		if err != nil {
			return false, badNumbers("one is no number that a float32 can hold")
		}
		exact = exact && holds(token, f)
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(float32(f)))
	}
	w.Comma()
	w.B = append(w.B, '"')
	w.B = base64.StdEncoding.AppendEncode(w.B, raw)
	w.B = append(w.B, '"')
	return exact, nil
}

func badNumbers(why string) *scri.Error {
	return &scri.Error{Kind: scri.ErrUnavailable, Message: "a vector cannot be written in base64: " + why}
}

// How many digits every float32 keeps, and how many a float64 has at most.
const (
	surely = 6
	atMost = 17
)

// holds reports whether the float32 f is the number that the token says: whether it
// looks like that with as many digits.
func holds(token string, f float64) bool {
	var digits [atMost + 1]byte
	n := significant(&digits, token)
	switch {
	case n <= surely:
		return true
	case n > atMost:
		v, err := strconv.ParseFloat(token, 64)
		return err == nil && v == f
	}
	said := alias(digits[:n])
	// The shortest forms of a power of two, and of a number in the middle between two,
	// may be rounded otherwise.
	return looksLike(said, f, n-1, 64) || looksLike(said, f, -1, 32) || looksLike(said, f, -1, 64)
}

// looksLike reports whether a number written with that precision has just these
// digits.
func looksLike(digits string, f float64, precision, bits int) bool {
	var buf [32]byte
	at := 0
	for _, c := range strconv.AppendFloat(buf[:0], math.Abs(f), 'e', precision, bits) {
		switch {
		case c == 'e':
			return at == len(digits)
		case c == '.':
		case at == len(digits) || digits[at] != c:
			return false
		default:
			at++
		}
	}
	return false
}

// significant writes the digits of a number that count, and returns how many there
// are; one more than there is room for if they are too many.
func significant(digits *[atMost + 1]byte, token string) (n int) {
	for i := range len(token) {
		switch c := token[i]; {
		case c == 'e' || c == 'E':
			return n
		case c < '0' || c > '9', c == '0' && n == 0:
		case n > atMost:
			return n
		default:
			digits[min(n, atMost)] = c
			n++
		}
	}
	return n
}

// GrowForVectors makes room in b for an answer's vectors as they came.
func GrowForVectors(b []byte, r *scri.EmbedResponse) []byte {
	n := 512 + 64*len(r.Embeddings)
	for i := range r.Embeddings {
		n += len(r.Embeddings[i].Values)
	}
	return slices.Grow(b, n)
}

// Vector is one vector of an answer and the encoding in which a client wants it.
type Vector struct {
	*scri.Embedding

	As string
	At int // in the answer's list
}

// Vectors are those of an answer as a client wants them: one after the other of the
// encodings it asked for, or all numbers if it did not ask.
func Vectors(req *scri.EmbedRequest, resp *scri.EmbedResponse) ([]Vector, error) {
	out := make([]Vector, 0, len(resp.Embeddings))
	if req == nil || len(req.Encodings) == 0 {
		for i := range resp.Embeddings {
			v := &resp.Embeddings[i]
			as := v.Encoding
			if as == scri.EncodingBase64 {
				as = scri.EncodingFloat
			}
			out = append(out, Vector{v, as, i})
		}
		return out, nil
	}
	for _, as := range req.Encodings {
		from, ok := source(resp, as)
		if !ok && len(resp.Embeddings) > 0 {
			return nil, noVector(resp.Embeddings[0].Encoding, as)
		}
		for i := range resp.Embeddings {
			if v := &resp.Embeddings[i]; v.Encoding == from {
				out = append(out, Vector{v, as, i})
			}
		}
	}
	return out, nil
}

// source is the encoding of which one can be made.
func source(resp *scri.EmbedResponse, as string) (string, bool) {
	has := func(e string) bool {
		return slices.ContainsFunc(resp.Embeddings, func(v scri.Embedding) bool { return v.Encoding == e })
	}
	switch {
	case has(as):
		return as, true
	case as == scri.EncodingFloat && has(scri.EncodingBase64):
		return scri.EncodingBase64, true
	case as == scri.EncodingBase64 && has(scri.EncodingFloat):
		return scri.EncodingFloat, true
	default:
		return "", false
	}
}
