package gemini_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/gemini"
	"github.com/aratta-gateway/aratta/scri"
)

// What Vertex AI is asked for vectors, and what is told of it.
func TestPredict(t *testing.T) {
	e := gemini.New().(dialect.Embedder) //nolint:forcetypeassert // it is one
	text := func(s string) scri.EmbedInput { return scri.EmbedInput{Text: scri.NewText(s)} }
	image := scri.EmbedInput{Parts: []scri.Part{{Kind: scri.PartMedia, Media: &scri.Media{Type: "image/png", Data: scri.NewText("aQ==")}}}}
	for _, c := range []struct {
		name string
		req  scri.EmbedRequest
		want string
		told []string // code and path
	}{
		{
			"texts",
			scri.EmbedRequest{Input: []scri.EmbedInput{text("a"), text("b")}, Dimensions: new(int64(8))},
			`{"instances":[{"content":"a"},{"content":"b"}],"parameters":{"outputDimensionality":8,"autoTruncate":false}}`,
			[]string{"added /truncate"},
		},
		{
			"a task",
			scri.EmbedRequest{Input: []scri.EmbedInput{text("a")}, Task: scri.TaskQuery, Truncate: scri.TruncateEnd, User: "u"},
			`{"instances":[{"content":"a","task_type":"RETRIEVAL_QUERY"}],"parameters":{"autoTruncate":true}}`,
			[]string{"dropped /user"},
		},
		{"cut at the start", scri.EmbedRequest{Input: []scri.EmbedInput{text("a")}, Truncate: scri.TruncateStart}, `{"instances":[{"content":"a"}]}`, []string{"dropped /truncate"}},
		{"an image", scri.EmbedRequest{Input: []scri.EmbedInput{image}}, "", nil},
	} {
		out, warnings, err := e.EncodeEmbedRequest(&c.req, &dialect.Target{Model: "m", Variant: "predict"})
		if c.want == "" {
			if scri.AsError(err).Kind != scri.ErrUnsupported {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		var told []string
		for _, w := range warnings {
			told = append(told, w.Code+" "+w.Path)
		}
		if err != nil || string(out.Body) != c.want || out.Path != "/v1beta/models/m:predict" || !cmp.Equal(told, c.told) {
			t.Errorf("%s: %v, %s %s\n%q", c.name, err, out.Path, out.Body, told)
		}
	}
}

// Who forgets a content is told of which.
func TestVectorOfNothing(t *testing.T) {
	e := gemini.New().(dialect.Embedder) //nolint:forcetypeassert // it is one
	for _, c := range []struct{ verb, body, want string }{
		{"embedContent", `{"taskType":"RETRIEVAL_QUERY"}`, "/content"},
		{"batchEmbedContents", `{"requests":[{"content":{"parts":[{"text":"a"}]}},{}]}`, "/requests/1/content"},
		{"predict", `{"instances":[{"content":"a"},{"prompt":"a cat"}]}`, "/instances/1/content"},
	} {
		_, err := e.DecodeEmbedRequest(&dialect.Incoming{Route: dialect.Route{Verb: c.verb}, Body: []byte(c.body)})
		if se := scri.AsError(err); err == nil || se.Kind != scri.ErrInvalid || se.Path != c.want {
			t.Errorf("%s: %+v", c.verb, err)
		}
	}
}
