package app

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/scri"
)

// An event that nobody knows reaches clients of its provider's own API; for others it
// is a loss, which the request log counts and the client's answer does not show.
func TestUnknownEventsAreLosses(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, strings.ReplaceAll(`{"type":"message_start","message":{"id":"m1","type":"message","role":"assistant","model":"m","content":[],"usage":{"input_tokens":1,"output_tokens":1}}}
{"type":"x_invented","n":0}
{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}
{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}
{"type":"x_invented","n":1}
{"type":"content_block_stop","index":0}
{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}
{"type":"message_stop"}
`, "{\"type\":", "\ndata: {\"type\":"))
	}))
	t.Cleanup(upstream.Close)
	for name, lost := range map[string]bool{"anthropic": false, "native": false, "openai": true, "ollama": true} {
		l := &lab{log: &logBuffer{}}
		l.start(t, fmt.Sprintf("[providers.up]\ndialect = \"anthropic\"\nbase_url = %q\napi_key_env = \"LAB_KEY\"\nmodels = [\"m\"]\n", upstream.URL))
		most := int64(9)
		got := l.ask(t, all.Get(name), &scri.ChatRequest{Model: "up:m", Messages: user("Hello"), MaxTokens: &most, Stream: true})
		if got.status != http.StatusOK || strings.Contains(string(got.body), "x_invented") == lost {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
		text, more := l.log.now()
		for late := time.After(patience); !strings.Contains(text, `"msg":"request"`); text, more = l.log.now() {
			select {
			case <-more:
			case <-late:
				t.Fatal("the request is not logged")
			}
		}
		if strings.Contains(text, `"warnings":1}`) != lost || !lost && strings.Contains(text, `"warnings"`) {
			t.Errorf("%s: %s", name, text)
		}
	}
}
