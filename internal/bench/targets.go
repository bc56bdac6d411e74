package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// The targets of a run, by what stands between the load and the mock.
const (
	direct          = "direct"           // nothing
	std             = "std"              // a bare httputil.ReverseProxy, the yardstick
	same            = "same"             // Aratta, upstream of the client's own dialect
	openaiAnthropic = "openai-anthropic" // Aratta, OpenAI's dialect in, Anthropic's out; the others likewise
	openaiGemini    = "openai-gemini"
	anthropicOpenai = "anthropic-openai"
	anthropicOllama = "anthropic-ollama"
	emptyOverlays   = "overlays-empty" // Aratta with ten overlays, none of which is for this upstream
	tenOverlays     = "overlays-ten"   // Aratta with ten overlays that act on each request
)

// The processes that answer: the mock, and the proxies in front of it.
const (
	procMock   = ""
	procStd    = "std"
	procAratta = "aratta"
	procEmpty  = "aratta-empty"
	procTen    = "aratta-ten"
)

// target is how one is asked.
type target struct {
	process string
	dialect string // of the load, as loadgen calls it
	model   string
}

// targets says how each is asked. The mock and the yardstick, which does not look
// into what it passes on, are asked in OpenAI's dialect.
func targets() map[string]target {
	return map[string]target{
		direct:          {procMock, "openai", "mock-model"},
		std:             {procStd, "openai", "mock-model"},
		same:            {procAratta, "openai", "mock:mock-model"},
		openaiAnthropic: {procAratta, "openai", "mockclaude:mock-model"},
		openaiGemini:    {procAratta, "openai", "mockgemini:mock-model"},
		anthropicOpenai: {procAratta, "anthropic", "mock:mock-model"},
		anthropicOllama: {procAratta, "anthropic", "mockollama:mock-model"},
		emptyOverlays:   {procEmpty, "openai", "mock:mock-model"},
		tenOverlays:     {procTen, "openai", "mock:mock-model"},
	}
}

// path is where a target takes chats.
func (t target) path() string {
	if t.dialect == "anthropic" {
		return "/v1/messages"
	}
	return "/v1/chat/completions"
}

// hello is a chat that a target answers.
func (t target) hello() string {
	return `{"model":"` + t.model + `","max_tokens":16,"messages":[{"role":"user","content":"Hello"}]}`
}

// config is the default configuration, with the mock as four local runtimes.
func config(mock int) []byte {
	return fmt.Appendf(nil, `[local.mock]
dialect = "openai"
base_url = "http://%[1]s/v1"

[local.mockclaude]
dialect = "anthropic"
base_url = "http://%[1]s"

[local.mockgemini]
dialect = "gemini"
base_url = "http://%[1]s/v1beta"

[local.mockollama]
dialect = "ollama"
base_url = "http://%[1]s"
`, hostPort(mock))
}

// overlays are ten that find something to do in each request of the load, for one
// provider.
func overlays(provider string) []byte {
	var b []byte
	for i, op := range []string{
		`op: rename, from: max_tokens, to: max_completion_tokens`,
		`op: clamp, path: temperature, max: 0.5`,
		`op: map_role, from: system, to: developer`,
		`op: set, path: top_p, value: 0.9, if_absent: true`,
		`op: set, path: user, value: somebody`,
		`op: exclusive, paths: [temperature, top_p], keep: temperature`,
		`op: move, from: user, to: metadata.user`,
		`op: map_enum, path: temperature, map: {"0.5": 0.25}`,
		`op: header_set, header: X-Team, value: blue`,
		`op: query_set, param: api-version, value: "2026-01-01"`,
	} {
		if i > 0 {
			b = append(b, "---\n"...)
		}
		b = fmt.Appendf(b, "{id: bench-%d, version: 1, match: {provider: %s}, ops: [{%s}]}\n", i, provider, op)
	}
	return b
}

// home makes the folder that a process of Aratta's lives in.
func (s *stand) home(process string) (string, error) {
	provider := map[string]string{procEmpty: "elsewhere", procTen: "mock"}[process]
	if provider == "" {
		return s.dir, nil
	}
	home := filepath.Join(s.dir, process)
	dir := filepath.Join(home, "overlays")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	return home, os.WriteFile(filepath.Join(dir, "ten.yaml"), overlays(provider), 0o600)
}
