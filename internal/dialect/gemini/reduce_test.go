package gemini_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
	"github.com/aratta-gateway/aratta/internal/dialect/gemini"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
	"github.com/aratta-gateway/aratta/scri/scritest"
)

// withTool is a request with one tool and, as the shape of the answer, its schema.
func withTool(schema string) *scri.ChatRequest {
	return &scri.ChatRequest{
		Messages: []scri.Message{{Role: scri.RoleUser, Parts: []scri.Part{scri.TextPart("x")}}},
		Tools:    []scri.Tool{{Name: "f", Schema: scri.RawJSON(schema)}},
		Format:   &scri.Format{Kind: scri.FormatJSONSchema, Schema: scri.RawJSON(schema)},
	}
}

// sentSchemas are the schemas in a request to the model, of the tool and of the
// answer, by the names of their members, and what was told of the tool's.
func sentSchemas(t testing.TB, model, schema string) (tool, answer map[string]json.RawMessage, told []string) {
	t.Helper()
	out, warn, err := gemini.New().EncodeRequest(withTool(schema), &dialect.Target{Model: model})
	if err != nil {
		t.Fatal(err)
	}
	if err := wire.Valid(out.Body); err != nil {
		t.Fatalf("%v in %s", err, out.Body)
	}
	var body struct {
		Tools []struct {
			FunctionDeclarations []map[string]json.RawMessage `json:"functionDeclarations"`
		} `json:"tools"`
		Config map[string]json.RawMessage `json:"generationConfig"`
	}
	if err := json.Unmarshal(out.Body, &body); err != nil {
		t.Fatal(err)
	}
	for _, w := range warn {
		if at, ok := strings.CutPrefix(w.Path, "/tools/0/schema"); ok {
			told = append(told, w.Code+" "+at)
		}
	}
	return body.Tools[0].FunctionDeclarations[0], body.Config, told
}

// Models before 2.5 get a schema that they can read, and what it lost is told by
// its place.
func TestSchemasForOlderModels(t *testing.T) {
	for _, c := range []struct {
		name, in, want string
		told           []string
	}{
		{name: "nothing to reduce", in: `{ "type":"object", "properties":{"const":{"type":"string","enum":["a"],"description":"d"},"n":{"anyOf":[{"type":"integer","minimum":1.0}]}},"required":["n"]}`},
		{
			name: "closed objects", in: `{"$schema":"x","type":"object","properties":{"a":{"type":"object","additionalProperties":false}},"additionalProperties":false}`,
			want: `{"type":"object","properties":{"a":{"type":"object"}}}`,
			told: []string{"dropped /$schema", "dropped /properties/a/additionalProperties", "dropped /additionalProperties"},
		},
		{name: "a constant", in: `{"type":"string","const":"a"}`, want: `{"type":"string","enum":["a"]}`, told: []string{"changed /const"}},
		{name: "a constant number", in: `{"type":"integer","const":3}`, want: `{"type":"integer"}`, told: []string{"dropped /const"}},
		{name: "numbers to choose from", in: `{"type":"integer","enum":[1,2]}`, want: `{"type":"integer"}`, told: []string{"dropped /enum"}},
		{name: "null to choose", in: `{"type":"string","enum":["a",null]}`, want: `{"type":"string","nullable":true,"enum":["a"]}`, told: []string{"changed /enum"}},
		{name: "or null", in: `{"type":["string","null"],"maxLength":3}`, want: `{"nullable":true,"type":"string","maxLength":3}`, told: []string{"changed /type"}},
		{name: "two types", in: `{"description":"d","type":["string","integer"]}`, want: `{"description":"d","anyOf":[{"type":"string"},{"type":"integer"}]}`, told: []string{"changed /type"}},
		{name: "two types with more", in: `{"type":["array","integer"],"items":{"type":"string"}}`, want: `{"type":"array","items":{"type":"string"}}`, told: []string{"dropped /type"}},
		{
			name: "references", in: `{"type":"object","properties":{"a":{"$ref":"#/$defs/t","description":"mine"},"b":{"$ref":"#/$defs/t"}},"$defs":{"t":{"type":"string","description":"its","not":{}}}}`,
			want: `{"type":"object","properties":{"a":{"description":"mine","type":"string"},"b":{"type":"string","description":"its"}}}`,
			told: []string{"changed /properties/a/$ref", "dropped /$defs/t/not", "changed /properties/b/$ref", "changed /$defs"},
		},
		{
			name: "a list of itself", in: `{"$ref":"#/$defs/n","$defs":{"n":{"type":"object","properties":{"next":{"$ref":"#/$defs/n"}}}}}`,
			want: `{"type":"object","properties":{"next":{"type":"object"}}}`,
			told: []string{"changed /$defs", "changed /$ref", "dropped /$defs/n/properties/next/$ref"},
		},
		{name: "the whole", in: `{"type":"object","properties":{"next":{"$ref":"#"}}}`, want: `{"type":"object","properties":{"next":{"type":"object"}}}`, told: []string{"dropped /properties/next/$ref"}},
		{name: "elsewhere", in: `{"$ref":"https://example.com/s.json"}`, want: `{}`, told: []string{"dropped /$ref"}},
		{name: "odd names", in: `{"properties":{"a/b":{"$ref":"#/$defs/x~1y"}},"$defs":{"x/y":{"type":"string"}}}`, want: `{"properties":{"a/b":{"type":"string"}}}`, told: []string{"changed /properties/a~1b/$ref", "changed /$defs"}},
		{name: "one of", in: `{"oneOf":[{"type":"string"},{"const":"b"}]}`, want: `{"anyOf":[{"type":"string"},{"enum":["b"]}]}`, told: []string{"changed /oneOf", "changed /oneOf/1/const"}},
		{name: "all of one", in: `{"description":"d","allOf":[{"type":"string"}]}`, want: `{"description":"d","type":"string"}`, told: []string{"changed /allOf"}},
		{name: "all of two", in: `{"allOf":[{"type":"string"},{"minLength":1}]}`, want: `{}`, told: []string{"dropped /allOf"}},
		{name: "formats", in: `{"type":"string","format":"uuid"}`, want: `{"type":"string"}`, told: []string{"dropped /format"}},
		{name: "a time", in: `{"type":"string","format":"date-time"}`},
		{name: "anything", in: `{"type":"object","properties":{"a":true}}`, want: `{"type":"object","properties":{"a":{}}}`, told: []string{"changed /properties/a"}},
	} {
		if c.want == "" {
			c.want = c.in
		}
		tool, answer, told := sentSchemas(t, "gemini-2.0-flash-001", c.in)
		if got := string(tool["parameters"]); got != c.want || string(answer["responseSchema"]) != c.want {
			t.Errorf("%s: %s and %s\nwant %s", c.name, got, answer["responseSchema"], c.want)
		}
		if diff := cmp.Diff(c.told, told); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
		for _, model := range []string{"gemini-2.5-flash", "gemini-3-pro-preview", "my-tuned-one"} {
			tool, answer, told := sentSchemas(t, model, c.in)
			if string(tool["parametersJsonSchema"]) != c.in || string(answer["responseJsonSchema"]) != c.in || told != nil {
				t.Errorf("%s: %s got %s and %s, told %v", c.name, model, tool, answer, told)
			}
		}
	}
}

// References that multiply have an end.
func TestSchemasThatGrow(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"$ref":"#/$defs/t0","$defs":{`)
	for i := range 40 {
		fmt.Fprintf(&b, `"t%d":{"properties":{"a":{"$ref":"#/$defs/t%d"},"b":{"$ref":"#/$defs/t%d"}}},`, i, i+1, i+1)
	}
	b.WriteString(`"t40":{"type":"string"}}}`)
	tool, _, told := sentSchemas(t, "gemini-1.5-pro", b.String())
	if n := len(tool["parameters"]); n > 4<<20 || len(told) > 101 {
		t.Errorf("%d bytes, %d losses told", n, len(told))
	}
}

// Older models are told honestly of whatever is asked.
func TestAnyRequestToOlderModels(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := scritest.Request().Draw(t, "request")
		x.Model = "gemini-2.0-flash"
		report(t, dialecttest.Law4Request(gemini.New(), x))
	})
}

// Any schema becomes a sound one, which needs no more reducing.
func FuzzReduce(f *testing.F) {
	f.Add(`{"$ref":"#/$defs/n","$defs":{"n":{"type":["object","null"],"properties":{"next":{"$ref":"#/$defs/n"}},"allOf":[{"oneOf":[{"const":1}]}]}}}`)
	f.Add(`{"type":["string","null"],"enum":[null,"a"],"items":[{}],"properties":{"a":false}}`)
	f.Fuzz(func(t *testing.T, schema string) {
		if wire.Valid([]byte(schema)) != nil || !strings.HasPrefix(schema, "{") {
			return
		}
		tool, _, told := sentSchemas(t, "gemini-2.0-flash", schema)
		again, _, more := sentSchemas(t, "gemini-2.0-flash", string(tool["parameters"]))
		if more != nil || string(again["parameters"]) != string(tool["parameters"]) {
			t.Fatalf("%s\nbecame %s (%v)\nand then %s (%v)", schema, tool["parameters"], told, again["parameters"], more)
		}
	})
}
