package dialecttest_test

import (
	"encoding/json"
	"errors"
	"flag"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
	"github.com/aratta-gateway/aratta/scri"
)

// anyEmbedRequest draws a request for vectors that no client may ever have sent.
func anyEmbedRequest(t *rapid.T) *scri.EmbedRequest {
	r := &scri.EmbedRequest{Model: "m"}
	text := rapid.StringN(1, 12, 40)
	for range rapid.IntRange(1, 4).Draw(t, "inputs") {
		var in scri.EmbedInput
		switch rapid.SampledFrom([]string{"text", "text", "tokens", "parts", "image"}).Draw(t, "kind") {
		case "text":
			in.Text = scri.NewText(text.Draw(t, "text"))
		case "tokens":
			in.Tokens = scri.RawJSON(`[1,2,3]`)
		case "parts":
			in.Parts = []scri.Part{scri.TextPart(text.Draw(t, "text")), scri.TextPart(text.Draw(t, "text"))}
		case "image":
			in.Parts = []scri.Part{{Kind: scri.PartMedia, Media: &scri.Media{Type: "image/png", Data: scri.NewText("iVBORw0KGgo=")}}}
		}
		if rapid.Bool().Draw(t, "titled") {
			in.Title = scri.NewText(text.Draw(t, "title"))
		}
		r.Input = append(r.Input, in)
	}
	r.Task = rapid.SampledFrom([]string{"", "query", "document", "similarity", "classification", "clustering", "question", "fact", "code_query", "image", "other"}).Draw(t, "task")
	r.Truncate = rapid.SampledFrom([]string{"", "none", "end", "start"}).Draw(t, "truncate")
	r.User = rapid.SampledFrom([]string{"", "u-1"}).Draw(t, "user")
	if rapid.Bool().Draw(t, "shortened") {
		r.Dimensions = new(rapid.Int64Range(1, 4096).Draw(t, "dimensions"))
	}
	r.Encodings = rapid.SampledFrom([][]string{nil, {"float"}, {"base64"}, {"int8"}, {"float", "base64"}, {"float", "ubinary"}}).Draw(t, "encoding")
	return r
}

func TestLawsOfGeneratedVectors(t *testing.T) {
	if err := flag.Set("rapid.nofailfile", "true"); err != nil { // the failure shows the value as JSON
		t.Fatal(err)
	}
	for _, to := range all.Table() {
		if _, ok := to.(dialect.Embedder); !ok {
			continue
		}
		t.Run(to.Name(), func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				r := anyEmbedRequest(rt)
				problems, refused := dialecttest.LawEmbed4Request(to, r)
				if len(problems) > 0 {
					b, _ := json.Marshal(r)
					rt.Errorf("law 4 of a request: %q: %s", problems, b)
				}
				if refused != nil {
					if e := scri.AsError(refused); e.Kind != scri.ErrUnsupported || e.Message == "" {
						rt.Errorf("refused with %#v", e)
					}
					return
				}
				resp := &scri.EmbedResponse{Model: "m", ID: "e-1", Usage: &scri.Usage{Input: new(int64(7)), Estimated: rapid.Bool().Draw(rt, "estimated")}}
				for _, encoding := range wanted(r) {
					for i := range r.Input {
						resp.Embeddings = append(resp.Embeddings, scri.Embedding{Index: i, Encoding: encoding, Values: scri.RawJSON(values(encoding))})
					}
				}
				if problems, refused = dialecttest.LawEmbed4Response(to, r, resp); len(problems) > 0 || refused != nil {
					rt.Errorf("law 4 of an answer: %q, %v", problems, refused)
				}
			})
		})
	}
}

// wanted are the encodings that a provider gives: of several that are made of one
// another it need not know.
func wanted(r *scri.EmbedRequest) []string {
	if len(r.Encodings) != 1 && dialect.Derived(r.Encodings) {
		return []string{scri.EncodingFloat}
	}
	return r.Encodings
}

func values(encoding string) string {
	switch encoding {
	case scri.EncodingFloat:
		return `[0.25,-1]`
	case scri.EncodingBase64:
		return `"AACAPgAAgL8="`
	default:
		return `[1,2]`
	}
}

func embedSeeds(f *testing.F, answers bool) {
	f.Helper()
	for _, c := range dialecttest.Cases(f) {
		for _, d := range all.Table() {
			if c.Kind != "embed" || c.Dialect != d.Name() {
				continue
			}
			x, err := c.Exchange()
			if err != nil {
				f.Fatal(err)
			}
			if answers {
				f.Add(d.Name(), x.Body)
			} else {
				f.Add(d.Name(), x.Request)
			}
		}
	}
}

// sayNothing are problems that only tell of a zero that was said.
func sayNothing(p string) bool {
	return slices.ContainsFunc([]string{`lost ""`, "lost 0", "lost false", "lost []", "lost {}", "lost <nil>"}, func(zero string) bool { return strings.HasSuffix(p, zero) })
}

// FuzzEmbedRequest asks the laws of any request for vectors that a dialect accepts.
func FuzzEmbedRequest(f *testing.F) {
	embedSeeds(f, false)
	f.Fuzz(func(t *testing.T, name string, body []byte) {
		from := all.Get(name)
		d, ok := from.(dialect.Embedder)
		if !ok || !jsontext.Value(body).IsValid() {
			return
		}
		req, err := d.DecodeEmbedRequest(dialecttest.EmbedIncoming(from, "", body))
		if err != nil {
			var e *scri.Error
			if !errors.As(err, &e) || e.Kind != scri.ErrInvalid && e.Kind != scri.ErrUnsupported || e.Message == "" {
				t.Fatalf("refused with %#v", err)
			}
			return
		}
		if req.Validate() != nil {
			return
		}
		problems := dialecttest.LawEmbed1Request(from, "", body)
		for _, to := range all.Table() {
			if _, ok := to.(dialect.Embedder); ok {
				more, _ := dialecttest.LawEmbed4Request(to, req)
				problems = append(problems, more...)
			}
		}
		if problems = slices.DeleteFunc(problems, sayNothing); len(problems) > 0 {
			t.Errorf("%s: %q", from.Name(), problems)
		}
	})
}

// FuzzEmbedResponse reads any answer, and writes again what it could read.
func FuzzEmbedResponse(f *testing.F) {
	embedSeeds(f, true)
	f.Fuzz(func(t *testing.T, name string, body []byte) {
		from := all.Get(name)
		d, ok := from.(dialect.Embedder)
		if !ok || !jsontext.Value(body).IsValid() {
			return
		}
		req := &scri.EmbedRequest{Model: "m", Input: []scri.EmbedInput{{Text: scri.NewText("one")}, {Text: scri.NewText("two")}}}
		resp, err := d.DecodeEmbedResponse(&dialect.Answer{Status: http.StatusOK, Header: http.Header{}, Body: body, Target: &dialect.Target{}}, req)
		if err != nil {
			if scri.AsError(err).Message == "" {
				t.Errorf("%s: no reason: %#v", from.Name(), err)
			}
			return
		}
		for _, to := range all.Table() {
			e, ok := to.(dialect.Embedder)
			if !ok {
				continue
			}
			in := dialecttest.EmbedIncoming(to, "", nil)
			in.Embed = req
			b, _, err := e.EncodeEmbedResponse(nil, in, resp)
			if err == nil && !jsontext.Value(b).IsValid() {
				t.Errorf("%s wrote %q", to.Name(), b)
			}
		}
	})
}
