package app

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
)

// run is the program in this process.
func run(ctx context.Context, in io.Reader, args ...string) (code int, out, errs string) {
	var o, e bytes.Buffer
	code = Main(ctx, "test", args, IO{In: in, Out: &o, Err: &e, Env: env()})
	return code, o.String(), e.String()
}

// Whatever stands at the address of the gateway, a chat ends in words.
func TestChatWithStrangers(t *testing.T) {
	for _, c := range []struct {
		name, stream, out string
		code              int
	}{
		{"a part without a part", `{"kind":"part"}|{"kind":"delta","delta":"hi"}|{"kind":"finish","finish":{"reason":"stop"}}|{"kind":"done"}`, "hi\n", 0},
		{"a call without a call", `{"kind":"part","whole":{"kind":"tool_call"}}|{"kind":"finish","finish":{"reason":"tool_calls"}}|{"kind":"done"}`, "\n", 0},
		{"half an answer", `{"kind":"delta","delta":"hi"}`, "hi\n", 1},
		{"nothing", ``, "\n", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream")
				for data := range strings.SplitSeq(c.stream, "|") {
					_, _ = io.WriteString(w, "data: "+data+"\n\n")
				}
			}))
			defer ts.Close()
			code, out, errs := run(t.Context(), nil, "chat", "--why", "--url", ts.URL, "hi")
			if code != c.code || out != c.out || (errs == "") != (code == 0) {
				t.Errorf("%d %q %q", code, out, errs)
			}
		})
	}
}

// full is a disk that has no more room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// An answer that reached nobody is no success.
func TestChatOnFullDisk(t *testing.T) {
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, data := range []string{`{"kind":"part"}`, `{"kind":"delta","delta":"hi"}`, `{"kind":"finish","finish":{"reason":"stop"}}`, `{"kind":"done"}`} {
			_, _ = io.WriteString(w, "data: "+data+"\n\n")
		}
	}))
	defer ts.Close()
	var errs bytes.Buffer
	code := Main(t.Context(), "test", []string{"chat", "--url", ts.URL, "hi"}, IO{Out: full{}, Err: &errs, Env: env()})
	if code != 1 || !strings.Contains(errs.String(), "the answer could not be written: no space left") {
		t.Errorf("%d %s", code, errs.String())
	}
}

// A prompt is sent whole or not at all.
func TestChatTooLong(t *testing.T) {
	code, _, errs := run(t.Context(), io.LimitReader(&endless{}, maxPrompt+1), "chat", "--url", "http://127.0.0.1:1")
	if code != 1 || !strings.Contains(errs, "larger than 16 MB") {
		t.Errorf("%d %s", code, errs)
	}
}

func TestChatInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if code, _, errs := run(ctx, nil, "chat", "--url", "http://127.0.0.1:1", "hi"); code != 130 || errs != "aratta: interrupted\n" {
		t.Errorf("%d %q", code, errs)
	}
}

// The address is understood as people write it.
func TestGatewayURL(t *testing.T) {
	for given, want := range map[string]string{
		"http://127.0.0.1:8084":     "http://127.0.0.1:8084",
		"http://127.0.0.1:8084/":    "http://127.0.0.1:8084",
		"127.0.0.1:8084":            "http://127.0.0.1:8084",
		":8084":                     "http://127.0.0.1:8084",
		"localhost:8084/v1":         "http://localhost:8084",
		"https://gw.example/v1/":    "https://gw.example",
		"http://gw/api/v1":          "http://gw",
		"http://gw/ai":              "http://gw/ai",
		"http://gw/ai/v1?x=1#there": "http://gw/ai",
		"ftp://gw":                  "",
		"http://":                   "",
		"not an address":            "",
	} {
		got, err := gatewayURL(given)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v; want %q", given, got, err, want)
		}
	}
}

// What would steer a terminal does not get there.
func TestTame(t *testing.T) {
	var b bytes.Buffer
	const text = "\x1b]52;c;ZXZpbA==\x07\x9b2J\u009b2Jpla\rin\n\ttext ёлка"
	if n, err := (tame{&b}).Write([]byte(text)); n != len(text) || err != nil {
		t.Error(n, err)
	}
	if got := b.String(); got != "]52;c;ZXZpbA==\ufffd2J2Jplain\n\ttext ёлка" {
		t.Errorf("%q", got)
	}
}
