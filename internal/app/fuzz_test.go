package app

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/sim"
)

// FuzzServer sends whatever may come to a path of one running server, with
// whatever fault its provider may have, from clients that may leave early. Each
// answer must be of the client's dialect, and afterwards the server must answer a
// good request as before.
func FuzzServer(f *testing.F) {
	for i, r := range chatRoutes {
		f.Add(uint8(i), uint8(0), false, []byte(r.good))
		f.Add(uint8(i), uint8(i), i%2 == 0, []byte(strings.TrimSuffix(r.good, "}")+`,"stream":true}`))
		for member, values := range r.fields {
			f.Add(uint8(i), uint8(0), false, []byte(r.with(member, values[0])))
		}
	}
	l := newLab(f, "[behaviour]\nenable_fallback = false\n",
		up{name: "any", dialect: "anthropic"}, up{name: "m2", dialect: "openai", opt: sim.Options{Models: []string{"m2"}}})
	// Those that wait for a limit are for other tests.
	faults := []sim.FaultKind{
		"", "", "", sim.Refuse, sim.RateLimit, sim.ServerError, sim.Cut, sim.Reset, sim.Garbage, sim.HalfRune,
		sim.ErrorFirst, sim.ErrorSecond, sim.ErrorIn200,
	}
	f.Fuzz(func(t *testing.T, route, fault uint8, leaves bool, body []byte) {
		r := chatRoutes[int(route)%len(chatRoutes)]
		kind := faults[int(fault)%len(faults)]
		l.sims["any"].Set(sim.Fault{Kind: kind, Times: 1})
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url+r.path, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		res, err := l.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if leaves {
			_, _ = io.CopyN(io.Discard, res.Body, 10)
			cancel()
			res.Body.Close()
		} else {
			got := newReply(res)
			res.Body.Close()
			if got.err != nil {
				t.Fatalf("the answer broke off: %v", got.err)
			}
			if got.status >= 400 {
				if problem := shape(r.dialect, got.body); problem != "" {
					t.Errorf("%s: %s", problem, got.body)
				}
			}
			if got.status == http.StatusInternalServerError && kind == "" {
				t.Errorf("%s", got.body)
			}
		}
		if text := l.log.String(); strings.Contains(text, `"msg":"panic"`) {
			t.Fatal(text)
		}
		l.log.reset()
		l.sims["any"].Set(sim.Fault{})
		again := l.send(t, http.MethodPost, "/v1/chat/completions", nil, strings.NewReader(`{"model":"any:m","messages":[{"role":"user","content":"still there?"}]}`))
		if again.status != http.StatusOK || !bytes.Contains(again.body, []byte("still there?")) {
			t.Fatalf("a good request was answered with %d %s", again.status, again.body)
		}
	})
}

// FuzzConfig reads whatever may stand in a configuration: it is taken, or refused
// in words that name the file.
func FuzzConfig(f *testing.F) {
	for _, text := range []string{
		"[server]\nport = 1\nhost = '${HOST}'\nrequest_timeout = 1e9\ntrusted_networks = ['10.0.0.0/8']",
		"[local.ollama]\nbase_url = '${URL}'\n[[local.ollama.models]]\nname = 'a'\n[providers.x]\ndialect = 'openai'\nheaders = {a = 'b'}",
		"[chains]\na = ['x', ['${URL}']]\n[chains.b]\ntargets = [{c = '${URL}'}]\n[aliases]\na = 'b'",
		"[[policy.rules]]\nname = 'x'\n[privacy]\n[budgets]\nper_day = 1",
		"a.b.'c.d' = 1\n\"\\u0000\" = {}\n[[x]]\n[x.y]",
	} {
		f.Add(text)
	}
	e := env("URL", "http://127.0.0.1:1")
	f.Fuzz(func(t *testing.T, text string) {
		l := &Loaded{File: "fuzz.toml"}
		if err := l.parse([]byte(text), e); err != nil {
			if !strings.HasPrefix(err.Error(), "fuzz.toml") {
				t.Errorf("an error that names no file: %v", err)
			}
			return
		}
		if s := &l.Server; s.Port < 1 || s.MaxBodyMB < 1 || s.Host == "" || s.RequestTimeout.Duration <= 0 || s.DrainTimeout.Duration <= 0 {
			t.Errorf("taken: %+v", s)
		}
	})
}
