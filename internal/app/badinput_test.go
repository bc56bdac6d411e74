package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/all"
)

// chatRoute is one path at which chats are asked, with a request that is good.
type chatRoute struct {
	path    string
	dialect string
	good    string
	fields  map[string][]string // wrong values by the name of the member
}

const (
	notAString = `7`
	notANumber = `"many"`
	notABool   = `"yes"`
	notAList   = `{"a":1}`
)

var chatRoutes = []chatRoute{
	{
		"/v1/chat/completions", "openai", `{"model":"m","messages":[{"role":"user","content":"hi"}]}`,
		map[string][]string{
			"model": {notAString, `[]`, `{}`, `true`}, "messages": {notAList, notAString, `"hi"`, `[7]`, `[null]`, `[[]]`, `null`},
			"role": {notAString, `{}`}, "content": {notAString, `true`, `{}`},
			"temperature": {notANumber, `[]`, `true`}, "top_p": {notANumber}, "max_tokens": {notANumber, `1.5`, `{}`}, "max_completion_tokens": {notANumber},
			"n": {notANumber, `[1]`}, "frequency_penalty": {notANumber}, "presence_penalty": {notANumber}, "stream": {notABool, `1`},
			"stop": {`7`, `{}`}, "user": {notAString}, "tools": {notAList, `"x"`}, "logprobs": {notABool}, "top_logprobs": {notANumber},
			"parallel_tool_calls": {notABool}, "reasoning_effort": {notAString},
		},
	},
	{
		"/v1/completions", "completions", `{"model":"m","prompt":"hi"}`,
		map[string][]string{
			"model": {notAString, `[]`}, "prompt": {notAList, `{}`, `[7]`, `[[7]]`, `[]`, `[{}]`, `null`}, "suffix": {notAString},
			"temperature": {notANumber}, "top_p": {notANumber}, "max_tokens": {notANumber, `1.5`, `{}`}, "seed": {notANumber},
			"n": {notANumber, `0`}, "logprobs": {notANumber, `true`, `-1`}, "echo": {notABool}, "stop": {`7`, `[7]`}, "stream": {notABool},
			"stream_options": {`7`, `[]`}, "user": {notAString}, "frequency_penalty": {notANumber}, "presence_penalty": {notANumber},
		},
	},
	{
		"/v1/messages", "anthropic", `{"model":"m","max_tokens":100,"messages":[{"role":"user","content":"hi"}]}`,
		map[string][]string{
			"model": {notAString, `[]`}, "messages": {notAList, notAString, `[7]`, `null`}, "role": {notAString}, "content": {notAString, `true`},
			"max_tokens": {notANumber, `1.5`, `{}`}, "temperature": {notANumber}, "top_p": {notANumber}, "top_k": {notANumber, `0.5`},
			"stream": {notABool}, "stop_sequences": {`7`, `"x"`, `[7]`}, "system": {`7`, `true`}, "tools": {notAList},
		},
	},
	{
		"/v1/messages/count_tokens", "anthropic", `{"model":"m","messages":[{"role":"user","content":"hi"}]}`,
		map[string][]string{"model": {notAString}, "messages": {notAList, `[7]`}, "system": {`7`}},
	},
	{
		"/api/chat", "ollama", `{"model":"m","messages":[{"role":"user","content":"hi"}]}`,
		map[string][]string{
			"model": {notAString}, "messages": {notAList, notAString, `[7]`}, "role": {notAString}, "content": {notAString, `{}`},
			"stream": {notABool}, "tools": {notAList}, "options": {`7`, `[]`}, "temperature": {notANumber}, "num_predict": {notANumber},
		},
	},
	{
		"/api/generate", "ollama", `{"model":"m","prompt":"hi"}`,
		map[string][]string{"model": {notAString}, "prompt": {notAString, `[]`}, "system": {notAString}, "stream": {notABool}, "options": {`7`}},
	},
	{
		"/v2/chat", "cohere", `{"model":"m","messages":[{"role":"user","content":"hi"}]}`,
		map[string][]string{
			"model": {notAString}, "messages": {notAList, notAString, `[7]`, `[null]`}, "role": {notAString}, "content": {notAString, `{}`},
			"temperature": {notANumber}, "p": {notANumber}, "k": {notANumber, `1.5`}, "max_tokens": {notANumber, `1.5`}, "stop_sequences": {`7`, `[7]`},
			"stream": {notABool}, "tools": {notAList, `[7]`}, "tool_choice": {`7`}, "documents": {`7`, `[7]`}, "logprobs": {notANumber},
			"strict_tools": {notABool}, "seed": {notANumber},
		},
	},
	{
		"/model/m/converse", "bedrock", `{"messages":[{"role":"user","content":[{"text":"hi"}]}]}`,
		map[string][]string{
			"messages": {notAList, notAString, `"hi"`, `[7]`, `[null]`, `null`}, "role": {notAString, `{}`}, "content": {notAString, `true`, `{}`},
			"system": {`7`, notAList}, "inferenceConfig": {`7`, `[]`}, "temperature": {notANumber, `[]`, `true`}, "topP": {notANumber},
			"maxTokens": {notANumber, `1.5`, `{}`}, "stopSequences": {`7`, `[7]`}, "toolConfig": {`7`, `{"tools":7}`},
		},
	},
	{
		"/model/m/converse-stream", "bedrock", `{"messages":[{"role":"user","content":[{"text":"hi"}]}]}`,
		map[string][]string{"messages": {notAList}, "temperature": {notANumber}},
	},
	{
		"/api/v1/chat", "native", `{"model":"m","messages":[{"role":"user","content":"hi"}]}`,
		map[string][]string{
			"model": {notAString}, "messages": {notAList, `[7]`, `[null]`}, "role": {notAString}, "content": {notAString, `{}`, `[7]`},
			"temperature": {notANumber}, "top_p": {notANumber}, "top_k": {notANumber, `1.5`}, "max_tokens": {notANumber, `1.5`}, "stop": {`7`, `[7]`},
			"n": {notANumber}, "stream": {notABool}, "tools": {notAList, `[7]`}, "tool_choice": {`7`}, "parallel_tools": {notABool}, "format": {`7`},
			"reasoning": {`7`}, "logprobs": {notANumber}, "user": {notAString}, "metadata": {`7`, `{"a":7}`}, "session": {notAString}, "previous_id": {notAString},
			"routing": {`7`, `{"sovereign":"yes"}`, `{"sovrin":true}`},
		},
	},
	{
		"/api/v1/chat/stream", "native", `{"model":"m","messages":[{"role":"user","content":"hi"}]}`,
		map[string][]string{"model": {notAString}, "messages": {notAList}, "temperature": {notANumber}},
	},
	{
		"/api/v1/count", "native", `{"model":"m","messages":[{"role":"user","content":"hi"}]}`,
		map[string][]string{"messages": {notAList}},
	},
}

// with puts a value where a member belongs in the good request.
func (r *chatRoute) with(member, value string) string {
	switch member {
	case "role":
		return strings.Replace(r.good, `"role":"user"`, `"role":`+value, 1)
	case "content":
		return strings.NewReplacer(`"content":"hi"`, `"content":`+value, `"content":[{"text":"hi"}]`, `"content":`+value).Replace(r.good)
	case "num_predict", "temperature", "topP", "maxTokens", "stopSequences":
		in := map[string]string{"ollama": "options", "bedrock": "inferenceConfig"}[r.dialect]
		if in != "" {
			return strings.TrimSuffix(r.good, "}") + `,"` + in + `":{"` + member + `":` + value + `}}`
		}
	}
	var m map[string]json.RawMessage
	if err := json.Unmarshal([]byte(r.good), &m); err != nil {
		panic(err)
	}
	var b strings.Builder
	for k, v := range m {
		if k != member {
			fmt.Fprintf(&b, ",%q:%s", k, v)
		}
	}
	return fmt.Sprintf("{%q:%s%s}", member, value, b.String())
}

// refused says what is wrong with an answer that should be a refusal in the
// dialect's own shape which names what is meant.
func refused(d dialect.Dialect, got *reply, names string, statuses ...int) (problems []string) {
	ok := false
	for _, s := range statuses {
		ok = ok || got.status == s
	}
	if !ok {
		problems = append(problems, fmt.Sprintf("status %d, want %v", got.status, statuses))
	}
	if got.status < 400 {
		return problems
	}
	if !strings.Contains(string(got.body), names) {
		problems = append(problems, fmt.Sprintf("%q is not named", names))
	}
	if problem := shape(d.Name(), got.body); problem != "" {
		problems = append(problems, problem)
	}
	return problems
}

// shape says what is wrong with the body of an error, or "".
func shape(name string, body []byte) string {
	var top struct {
		Type    string          `json:"type"`
		Error   json.RawMessage `json:"error"`
		Message string          `json:"message"`
	}
	if err := json.Unmarshal(body, &top); err != nil {
		return "the body is no JSON object: " + err.Error()
	}
	var in struct {
		Message string  `json:"message"`
		Type    *string `json:"type"`
		Kind    string  `json:"kind"`
	}
	if name == "cohere" || name == "bedrock" {
		if top.Message == "" || top.Error != nil {
			return "the errors of " + name + " are a message"
		}
		return ""
	}
	if name == "ollama" {
		var s string
		if json.Unmarshal(top.Error, &s) != nil || s == "" {
			return "ollama's errors are a string"
		}
		return ""
	}
	if json.Unmarshal(top.Error, &in) != nil || in.Message == "" {
		return "the error has no message"
	}
	switch {
	case (name == "openai" || name == "completions" || name == "responses") && (in.Type == nil || top.Type != ""),
		name == "anthropic" && (in.Type == nil || top.Type != "error"),
		name == "native" && in.Kind == "":
		return "the body is not of the dialect " + name
	}
	return ""
}

// badLab has a provider that answers everything.
func badLab(t testing.TB) *lab {
	return newLab(t, "[server]\nmax_body_mb = 8\n", up{name: "any", dialect: "native"})
}

// A known member of the wrong type is refused by name, in the client's dialect,
// on every path.
func TestWrongTypesAreNamed(t *testing.T) {
	l := badLab(t)
	for _, r := range chatRoutes {
		d := all.Get(r.dialect)
		for member, values := range r.fields {
			for _, v := range values {
				t.Run(strings.Trim(r.path, "/")+" "+member+" "+v, func(t *testing.T) {
					got := l.send(t, http.MethodPost, r.path, nil, strings.NewReader(r.with(member, v)))
					for _, p := range refused(d, got, member, http.StatusBadRequest) {
						t.Errorf("%s: %s", p, got.body)
					}
				})
			}
		}
	}
}

// What is well-formed and odd is refused by name, or served: never a 5xx, never
// a crash.
func TestOddRequests(t *testing.T) {
	l := badLab(t)
	refuse, serve := []int{400}, []int{200}
	many := func(n int, item string) string {
		return "[" + strings.TrimSuffix(strings.Repeat(item+",", n), ",") + "]"
	}
	for _, c := range []struct {
		name, path, body, names string
		want                    []int
	}{
		{"no messages", "/v1/chat/completions", `{"model":"m"}`, "messages", refuse},
		{"no messages", "/v1/messages", `{"model":"m","max_tokens":1}`, "messages", refuse},
		{"no messages", "/api/v1/chat", `{"model":"m"}`, "messages", refuse},
		{"an empty list of messages", "/v1/chat/completions", `{"model":"m","messages":[]}`, "messages", refuse},
		{"an empty list of messages", "/v1/messages", `{"model":"m","max_tokens":1,"messages":[]}`, "messages", refuse},
		{"an empty list of messages", "/api/v1/chat", `{"model":"m","messages":[]}`, "messages", refuse},
		{"an empty message", "/v1/chat/completions", `{"model":"m","messages":[{}]}`, "role", refuse},
		{"an empty message", "/api/v1/chat", `{"model":"m","messages":[{}]}`, "role", refuse},
		{"a message without a role", "/api/chat", `{"model":"m","messages":[{"content":"hi"}]}`, "role", refuse},
		{"no max_tokens", "/v1/messages", `{"model":"m","messages":[{"role":"user","content":"hi"}]}`, "max_tokens", []int{200, 400}},
		{"empty content", "/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":""}]}`, "", serve},
		{"empty content", "/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":[]}]}`, "", []int{200, 400}},
		{"a number beyond float64", "/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":"hi"}],"temperature":1e400}`, "temperature", refuse},
		{"a number beyond float64", "/v1/messages", `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}],"temperature":1e400}`, "temperature", refuse},
		{"a number beyond int64", "/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":99999999999999999999}`, "max_tokens", refuse},
		{"a limit below zero", "/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":-1}`, "max_tokens", refuse},
		{"a limit of zero", "/v1/messages", `{"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":0}`, "max_tokens", []int{200, 400}},
		{"a huge seed", "/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":"hi"}],"seed":15259210161316577000}`, "", serve},
		{"a million answers", "/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":"hi"}],"n":1000000}`, "n", refuse},
		{"thousands of tools", "/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":"hi"}],"tool_choice":"none","tools":` +
			many(5000, `{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}`) + `}`, "", []int{200, 400}},
		{"thousands of messages", "/v1/messages", `{"model":"m","max_tokens":9,"messages":` + many(5000, `{"role":"user","content":"hi"}`) + `}`, "", serve},
		{"a tool without a name", "/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function","function":{}}]}`, "name", []int{200, 400}},
		{"a part that nobody knows", "/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":[{"type":"hologram","x":1}]}]}`, "", serve},
		{"a role that nobody knows", "/v1/chat/completions", `{"model":"m","messages":[{"role":"wizard","content":"hi"}]}`, "", []int{200, 400}},
		{"a byte order mark", "/v1/chat/completions", "\ufeff" + `{"model":"m","messages":[{"role":"user","content":"hi"}]}`, "", []int{200, 400}},
		{"a lone surrogate, escaped", "/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":"\ud800"}]}`, "", []int{200, 400}},
		{"a long name", "/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":"hi"}],"` + strings.Repeat("x", 100_000) + `":1}`, "", serve},
		{"a long model", "/v1/chat/completions", `{"model":"` + strings.Repeat("x", 100_000) + `","messages":[{"role":"user","content":"hi"}]}`, "", []int{404}},
		{"a model with line breaks", "/v1/chat/completions", `{"model":"m\r\nX-Evil: 1","messages":[{"role":"user","content":"hi"}]}`, "", []int{404}},
		{"an unknown chain", "/api/v1/chat", `{"messages":[{"role":"user","content":"hi"}],"routing":{"chain":"nowhere"}}`, "/routing/chain", []int{404}},
		{"millions of elements", "/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":"hi"}],"stop":` + many(1<<20, `""`) + `}`, "1048576", refuse},
		{"too deep in content", "/v1/messages", `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"x","content":` + strings.Repeat(`[{"type":"tool_result","content":`, 70) + `""` + strings.Repeat("}]", 70) + `}]}]}`, "128", refuse},
	} {
		t.Run(c.name+" at "+c.path, func(t *testing.T) {
			d := all.Get(dialectOf(c.path))
			got := l.send(t, http.MethodPost, c.path, nil, strings.NewReader(c.body))
			for _, p := range refused(d, got, c.names, c.want...) {
				t.Errorf("%s: %.400s", p, got.body)
			}
			if len(got.body) > 64<<10 && got.status != http.StatusOK {
				t.Errorf("an error of %d bytes", len(got.body))
			}
		})
	}
}

func dialectOf(path string) string {
	for _, r := range chatRoutes {
		if r.path == path {
			return r.dialect
		}
	}
	return ""
}

// An unknown model is a 404 in the client's dialect that names it and what is
// like it.
func TestUnknownModel(t *testing.T) {
	l := newLab(t, "", up{name: "local1", dialect: "ollama", local: true})
	for _, r := range chatRoutes {
		path := strings.Replace(r.path, "/model/m/", "/model/local1x:m/", 1)
		got := l.send(t, http.MethodPost, path, nil, strings.NewReader(strings.Replace(r.good, `"model":"m"`, `"model":"local1x:m"`, 1)))
		for _, p := range refused(all.Get(r.dialect), got, "local1x", http.StatusNotFound) {
			t.Errorf("%s: %s: %s", r.path, p, got.body)
		}
	}
}

// Paths and methods that are not there are refused in the dialect of the path.
func TestUnknownPathsAndMethods(t *testing.T) {
	l := badLab(t)
	for _, c := range []struct {
		method, path, dialect string
		status                int
		allow                 string
	}{
		{"POST", "/v1/chat/completion", "openai", 404, ""},
		{"GET", "/nowhere", "openai", 404, ""},
		{"POST", "/v1/responses/x", "openai", 405, "GET, DELETE"},
		{"POST", "/v1/responses/x/y", "openai", 404, ""},
		{"PUT", "/v1/responses", "responses", 405, "POST"},
		{"POST", "/v1/messages/bundles", "anthropic", 404, ""},
		{"POST", "/v2/rerun", "cohere", 404, ""},
		{"GET", "/v2/chat", "cohere", 405, "POST"},
		{"POST", "/api/v1/nothing", "native", 404, ""},
		{"POST", "/api/pull", "ollama", 404, ""},
		{"GET", "/v1/chat/completions", "openai", 405, "POST"},
		{"DELETE", "/v1/messages", "anthropic", 405, "POST"},
		{"PUT", "/api/chat", "ollama", 405, "POST"},
		{"GET", "/api/v1/chat", "native", 405, "POST"},
		{"POST", "/api/tags", "ollama", 405, "GET"},
		{"POST", "/v1/models", "openai", 405, "GET"},
		{"POST", "/v1/models/m", "openai", 405, "GET"},
		{"POST", "/health", "openai", 405, "GET"},
		{"PATCH", "/v1/messages/count_tokens", "anthropic", 405, "POST"},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			got := l.send(t, c.method, c.path, nil, nil)
			for _, p := range refused(all.Get(c.dialect), got, "", c.status) {
				t.Errorf("%s: %s", p, got.body)
			}
			if a := got.header.Get("Allow"); !strings.Contains(a, c.allow) || (c.allow == "") != (a == "") {
				t.Errorf("Allow %q, want %q", a, c.allow)
			}
		})
	}
}
