package sdktest

import (
	"encoding/base64"
	bytesof "encoding/binary"
	"math"
	"testing"

	"github.com/ollama/ollama/api"
	"github.com/openai/openai-go/v3"
	"google.golang.org/genai"
)

var embedTexts = []string{"the cat sat on the mat", "a cat on a mat", "quarterly revenue rose"}

// nearer reports whether the first two of three vectors are nearer to each other than
// the first is to the third, as their texts are.
func nearer(list [][]float64) bool {
	if len(list) != 3 {
		return false
	}
	dot := func(a, b []float64) (sum float64) {
		for i := range a {
			sum += a[i] * b[i]
		}
		return sum
	}
	return dot(list[0], list[1]) > dot(list[0], list[2])+0.1 && math.Abs(dot(list[0], list[0])-1) < 1e-4
}

// Each SDK gets vectors from each provider that makes some: the same numbers,
// whichever way they were asked for.
func TestEmbeddings(t *testing.T) {
	for _, u := range shared.providers {
		if u.format == "anthropic" {
			continue
		}
		name := u.name + ":" + model
		t.Run("openai client/"+u.format+" provider", func(t *testing.T) {
			c := newOpenAI(shared.aratta.url)
			p := openai.EmbeddingNewParams{Model: name, Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: embedTexts}, Dimensions: openai.Int(64)}
			r, err := c.sdk.Embeddings.New(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			var list [][]float64
			for i, e := range r.Data {
				if e.Index != int64(i) || len(e.Embedding) != 64 {
					t.Fatalf("vector %d has index %d and %d numbers", i, e.Index, len(e.Embedding))
				}
				list = append(list, e.Embedding)
			}
			if !nearer(list) || r.Usage.PromptTokens == 0 {
				t.Errorf("vectors %v, usage %+v", list, r.Usage)
			}
			p.EncodingFormat = openai.EmbeddingNewParamsEncodingFormatBase64 // which the SDK cannot read, but passes on
			var raw struct {
				Data []struct{ Embedding string } `json:"data"`
			}
			if err := c.sdk.Post(t.Context(), "embeddings", p, &raw); err != nil {
				t.Fatal(err)
			}
			for i := range raw.Data {
				b, err := base64.StdEncoding.DecodeString(raw.Data[i].Embedding)
				if err != nil || len(b) != 4*64 {
					t.Fatalf("%d bytes, %v", len(b), err)
				}
				for j := range 64 {
					if f := math.Float32frombits(bytesof.LittleEndian.Uint32(b[4*j:])); f != float32(list[i][j]) {
						t.Fatalf("number %d is %v in base64 and %v as a number", j, f, list[i][j])
					}
				}
			}
		})
		t.Run("ollama client/"+u.format+" provider", func(t *testing.T) {
			c := newOllama(shared.aratta.url)
			r, err := c.sdk.Embed(t.Context(), &api.EmbedRequest{Model: name, Input: embedTexts})
			if err != nil {
				t.Fatal(err)
			}
			var list [][]float64
			for _, e := range r.Embeddings {
				var v []float64
				for _, f := range e {
					v = append(v, float64(f))
				}
				list = append(list, v)
			}
			if !nearer(list) || r.PromptEvalCount == 0 {
				t.Errorf("vectors %v, %d tokens", list, r.PromptEvalCount)
			}
			old, err := c.sdk.Embeddings(t.Context(), &api.EmbeddingRequest{Model: name, Prompt: embedTexts[0]})
			if err != nil || len(old.Embedding) != len(list[0]) || math.Abs(old.Embedding[0]-list[0][0]) > 1e-6 {
				t.Errorf("/api/embeddings: %v, %v", err, old)
			}
		})
	}
}

// Google's SDK asks for several at once, whoever makes them.
func TestGoogleEmbeddings(t *testing.T) {
	c := newGoogle(shared.aratta.url)
	for _, u := range shared.providers {
		t.Run(u.format+" provider", func(t *testing.T) {
			var contents []*genai.Content
			for _, text := range embedTexts {
				contents = append(contents, genai.NewContentFromText(text, genai.RoleUser))
			}
			r, err := c.sdk.Models.EmbedContent(t.Context(), u.name+":"+model, contents, &genai.EmbedContentConfig{OutputDimensionality: genai.Ptr[int32](64)})
			if err != nil {
				t.Fatal(err)
			}
			var list [][]float64
			for _, e := range r.Embeddings {
				var v []float64
				for _, f := range e.Values {
					v = append(v, float64(f))
				}
				list = append(list, v)
			}
			if !nearer(list) || len(list[0]) != 64 {
				t.Errorf("vectors %v", list)
			}
		})
	}
}

// Nobody else's vectors are given in place of those that a provider does not make.
func TestEmbeddingsDoNotMix(t *testing.T) {
	for _, u := range shared.providers {
		if u.format != "anthropic" {
			continue
		}
		_, err := newOpenAI(shared.aratta.url).sdk.Embeddings.New(t.Context(), openai.EmbeddingNewParams{
			Model: u.name + ":other-model", Input: openai.EmbeddingNewParamsInputUnion{OfString: openai.String("x")},
		})
		if err == nil {
			t.Error("a provider without vectors gave some")
		}
	}
}
