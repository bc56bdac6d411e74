package app

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

type completion struct {
	Object  string `json:"object"`
	Choices []struct {
		Index  int     `json:"index"`
		Text   string  `json:"text"`
		Finish *string `json:"finish_reason"`
	} `json:"choices"`
	Usage *struct {
		Prompt     int `json:"prompt_tokens"`
		Completion int `json:"completion_tokens"`
		Total      int `json:"total_tokens"`
	} `json:"usage"`
}

func (l *lab) complete(t *testing.T, body string) (*completion, *reply) {
	t.Helper()
	got := l.send(t, http.MethodPost, "/v1/completions", nil, strings.NewReader(body))
	var c completion
	if err := json.Unmarshal(got.body, &c); err != nil || got.status != http.StatusOK {
		t.Fatalf("%d, %v: %s", got.status, err, got.body)
	}
	return &c, got
}

// Any provider goes on with a text, whatever it speaks.
func TestCompletions(t *testing.T) {
	l := newLab(t, "[behaviour]\nenable_fallback = false\n", speakers()...)
	for _, u := range speakers() {
		t.Run(u.name, func(t *testing.T) {
			one, _ := l.complete(t, `{"model":"`+u.name+`:m","prompt":"Roses are","max_tokens":200}`)
			if one.Object != "text_completion" || len(one.Choices) != 1 || !strings.HasSuffix(one.Choices[0].Text, "Roses are") || one.Usage.Completion == 0 {
				t.Errorf("%+v", one)
			}

			several, _ := l.complete(t, `{"model":"`+u.name+`:m","prompt":["Roses are","Violets are","So are"],"max_tokens":200}`)
			if len(several.Choices) != 3 || several.Usage.Prompt <= one.Usage.Prompt {
				t.Fatalf("%+v", several)
			}
			for i, end := range []string{"Roses are", "Violets are", "So are"} {
				c := several.Choices[i]
				if c.Index != i || !strings.HasSuffix(c.Text, end) || c.Finish == nil || *c.Finish != "stop" {
					t.Errorf("choice %d: %+v", i, c)
				}
			}

			streamed := l.send(t, http.MethodPost, "/v1/completions", nil,
				strings.NewReader(`{"model":"`+u.name+`:m","prompt":["Roses are","Violets are"],"max_tokens":200,"stream":true,"stream_options":{"include_usage":true}}`))
			text, usage := chunks(t, string(streamed.body))
			if !strings.HasSuffix(text[0], "Roses are") || !strings.HasSuffix(text[1], "Violets are") || usage <= one.Usage.Total {
				t.Errorf("%q, usage %d in %s", text, usage, streamed.body)
			}
		})
	}
	t.Run("echo", func(t *testing.T) {
		for _, name := range []string{"anthropic", "completions"} {
			got, r := l.complete(t, `{"model":"`+name+`:m","prompt":"Roses are","max_tokens":200,"echo":true}`)
			if text := got.Choices[0].Text; name == "anthropic" && !strings.HasPrefix(text, "Roses are") {
				t.Errorf("%s: %q", name, text)
			}
			if w := r.header.Get("X-Aratta-Warnings"); w != "" {
				t.Errorf("%s: warnings %s", name, w)
			}
		}
	})
	t.Run("echo of several", func(t *testing.T) {
		const body = `{"model":"anthropic:m","prompt":["Roses are","Violets are"],"max_tokens":200,"echo":true`
		got, _ := l.complete(t, body+"}")
		text, _ := chunks(t, string(l.send(t, http.MethodPost, "/v1/completions", nil, strings.NewReader(body+`,"stream":true}`)).body))
		for i, begin := range []string{"Roses are", "Violets are"} {
			if !strings.HasPrefix(got.Choices[i].Text, begin) || !strings.HasPrefix(text[i], begin) {
				t.Errorf("choice %d: %q, as a stream %q", i, got.Choices[i].Text, text[i])
			}
		}
	})
	t.Run("suffix", func(t *testing.T) {
		for name, lost := range map[string]bool{"ollama": false, "completions": false, "native": false, "openai": true} {
			_, r := l.complete(t, `{"model":"`+name+`:m","prompt":"f(","suffix":")","max_tokens":200}`)
			if w := r.header.Get("X-Aratta-Warnings"); (w != "") != lost {
				t.Errorf("%s: warnings %q", name, w)
			}
		}
	})
	t.Run("a failure of one is one of all", func(t *testing.T) {
		got := l.send(t, http.MethodPost, "/v1/completions", nil, strings.NewReader(`{"model":"openai:nobody","prompt":["a","b"]}`))
		if got.status != http.StatusNotFound {
			t.Errorf("%d %s", got.status, got.body)
		}
	})
}

// chunks puts a stream together: the text of each choice, and all tokens.
func chunks(t *testing.T, body string) (text [2]string, usage int) {
	t.Helper()
	if !strings.HasSuffix(body, "data: [DONE]\n\n") {
		t.Errorf("no clean end: %s", body)
	}
	for line := range strings.Lines(body) {
		data, ok := strings.CutPrefix(line, "data: {")
		if !ok {
			continue
		}
		var c completion
		if err := json.Unmarshal([]byte("{"+data), &c); err != nil {
			t.Fatal(err)
		}
		for _, x := range c.Choices {
			text[x.Index] += x.Text
		}
		if c.Usage != nil {
			usage = c.Usage.Total
		}
	}
	return text, usage
}
