package ollama_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/ollama"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

const tags = `{"models":[
 {"name":"codellama:13b","model":"codellama:13b","modified_at":"2023-11-04T14:56:49.277302595-07:00","size":7365960935,"digest":"9f4385",
  "details":{"parent_model":"","format":"gguf","family":"llama","families":["llama"],"parameter_size":"13B","quantization_level":"Q4_0"}},
 {"name":"odd","size":"big","modified_at":7,"details":null,"capabilities":["completion",5,"tools"],"x":{}}]}`

const ps = `{"models":[{"name":"mistral:latest","model":"mistral:latest","size":5137025024,"digest":"2ae6",
 "details":{"parent_model":"","format":"gguf","family":"llama","families":["llama"],"parameter_size":"7.2B","quantization_level":"Q4_0"},
 "expires_at":"2024-06-04T14:38:31.83753-07:00","size_vram":5137025024,"context_length":4096}]}`

const show = `{"license":"MIT","modelfile":"FROM x","parameters":"num_keep 24\nstop \"<|eot_id|>\"\nnum_ctx                        16384","template":"{{ .Prompt }}",
 "details":{"parent_model":"","format":"gguf","family":"llama","families":["llama"],"parameter_size":"8.0B","quantization_level":"Q4_0"},
 "model_info":{"general.architecture":"llama","llama.context_length":8192,"llama.vision.context_length":77,"tokenizer.ggml.tokens":null},
 "capabilities":["completion","vision"],"modified_at":"2024-06-04T14:38:31Z"}`

var (
	_      dialect.Lister = lister
	lister                = ollama.New().(dialect.Lister)
	noRaw                 = cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Raw" || p.Last().String() == ".Dialect" }, cmp.Ignore())
)

func TestModels(t *testing.T) {
	got, err := lister.DecodeModels(&dialect.Answer{Body: []byte(tags)})
	if err != nil {
		t.Fatal(err)
	}
	want := &scri.ModelList{Models: []scri.ModelInfo{
		{ID: "codellama:13b", Model: "codellama:13b", Created: 1699135009, SizeBytes: 7365960935, Digest: "9f4385", Family: "llama", ParameterSize: "13B", Quantization: "Q4_0"},
		{ID: "odd", Model: "odd", Capabilities: []string{"completion", "tools"}},
	}}
	if d := cmp.Diff(want, got, noRaw); d != "" {
		t.Error(d)
	}
	got.Models = append(got.Models[:1], scri.ModelInfo{ID: "openai:gpt-5", Created: 1, Family: "gpt", Capabilities: []string{"completion"}})
	got.Models[0].ID = "ollama:codellama:13b"
	b := lister.EncodeModels(nil, nil, got)
	const list = `{"models":[
	 {"name":"ollama:codellama:13b","model":"ollama:codellama:13b","modified_at":"2023-11-04T14:56:49.277302595-07:00","size":7365960935,"digest":"9f4385",
	  "details":{"parent_model":"","format":"gguf","family":"llama","families":["llama"],"parameter_size":"13B","quantization_level":"Q4_0"}},
	 {"name":"openai:gpt-5","model":"openai:gpt-5","modified_at":"1970-01-01T00:00:01Z","size":0,"digest":"0000000000000000000000000000000000000000000000000000000000000000",
	  "details":{"parent_model":"","format":"","family":"gpt","families":["gpt"],"parameter_size":"","quantization_level":""},"capabilities":["completion"]}]}`
	if !wire.Equal(b, []byte(list)) {
		t.Errorf("got %s", b)
	}
	if r := lister.ListRequest(nil); r.Method+r.Path != "GET/api/tags" {
		t.Error(r)
	}
}

// Of what has neither a time nor a digest `ollama list` says "Never" and shows zeros; it
// crashes where the digest is short.
func TestListOfAliases(t *testing.T) {
	list := &scri.ModelList{Models: []scri.ModelInfo{{ID: "auto"}}}
	b := lister.EncodeModels(nil, nil, list)
	for _, want := range []string{`"modified_at":"0001-01-01T00:00:00Z"`, `"digest":"` + strings.Repeat("0", 64) + `"`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("no %s in %s", want, b)
		}
	}
	got, err := lister.DecodeModels(&dialect.Answer{Body: b})
	if err != nil || len(got.Models) != 1 || got.Models[0].Digest != "" || got.Models[0].Created != 0 {
		t.Errorf("read back: %+v, %v", got, err)
	}
}

func TestLoadedModels(t *testing.T) {
	got, err := ollama.DecodePS(&dialect.Answer{Body: []byte(ps)})
	if err != nil {
		t.Fatal(err)
	}
	want := &scri.ModelList{Models: []scri.ModelInfo{{
		ID: "mistral:latest", Model: "mistral:latest", ContextWindow: 4096, SizeBytes: 5137025024, Digest: "2ae6",
		Family: "llama", ParameterSize: "7.2B", Quantization: "Q4_0", Loaded: true,
	}}}
	if d := cmp.Diff(want, got, noRaw); d != "" {
		t.Error(d)
	}
	got.Models = append(got.Models, scri.ModelInfo{ID: "asleep"})
	if b := ollama.AppendPS(nil, got); !wire.Equal(b, []byte(ps)) {
		t.Errorf("got %s", b)
	}
	if b := ollama.AppendPS(nil, &scri.ModelList{Models: []scri.ModelInfo{{ID: "a", Loaded: true}}}); wire.Valid(b) != nil {
		t.Errorf("got %s", b)
	}
	if r := ollama.PSRequest(); r.Method+r.Path != "GET/api/ps" {
		t.Error(r)
	}
}

func TestShow(t *testing.T) {
	a := &dialect.Answer{Body: []byte(show), Target: &dialect.Target{Model: "llama3"}}
	got, err := ollama.DecodeShow(a)
	if err != nil {
		t.Fatal(err)
	}
	want := &scri.ModelInfo{
		ID: "llama3", Model: "llama3", ContextWindow: 8192, Created: 1717511911, Family: "llama", ParameterSize: "8.0B",
		Quantization: "Q4_0", Capabilities: []string{"completion", "vision"},
	}
	if d := cmp.Diff(want, got, noRaw); d != "" {
		t.Error(d)
	}
	if b := lister.EncodeModel(nil, nil, got); string(b) != show {
		t.Errorf("got %s", b)
	}
	b := lister.EncodeModel(nil, nil, &scri.ModelInfo{ID: "x", Family: "gpt.5", ContextWindow: 400000, Created: 60, Capabilities: []string{"completion", "tools"}})
	again, err := ollama.DecodeShow(&dialect.Answer{Body: b})
	if err != nil || again.ContextWindow != 400000 || again.Created != 60 || len(again.Capabilities) != 2 {
		t.Errorf("%s: %+v, %v", b, again, err)
	}
	r := ollama.ShowRequest(`a"b`)
	if r.Method+r.Path+string(r.Body) != `POST/api/show{"model":"a\"b"}` {
		t.Error(r)
	}
	if m, err := ollama.DecodeShow(&dialect.Answer{Body: []byte(`{"parameters":"num_ctx 2048"}`)}); err != nil || m.ContextWindow != 2048 {
		t.Error(m, err)
	}
}

func TestVersion(t *testing.T) {
	for version, want := range map[string]string{
		"0.12.0": "0.12.0", "v1.2.3-4-gabcdef0": "1.2.3-4-gabcdef0", "462c5c2": "0.0.0-462c5c2", "dev": "0.0.0-dev",
	} {
		if b := ollama.AppendVersion(nil, version); string(b) != `{"version":"`+want+`"}` {
			t.Errorf("%s: %s", version, b)
		}
	}
}

func TestBrokenLists(t *testing.T) {
	for body, kind := range map[string]scri.ErrorKind{
		``: scri.ErrUnavailable, `[]`: scri.ErrUnavailable, `{"models":{}}`: scri.ErrUnavailable, `{"models":[1]}`: scri.ErrUnavailable,
		`{"models":[{}]`: scri.ErrTruncated,
	} {
		a := &dialect.Answer{Body: []byte(body)}
		_, err := lister.DecodeModels(a)
		if err == nil || scri.AsError(err).Kind != kind {
			t.Errorf("%q: %v", body, err)
		}
	}
	if _, err := ollama.DecodeShow(&dialect.Answer{Body: []byte(`nope`)}); err == nil {
		t.Error("no JSON was read")
	}
}
