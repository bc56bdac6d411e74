package corpus

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	frame := func(event string) string {
		return fmt.Sprintf(`{"headers":{":event-type":"chunk"},"payload":{"bytes":%q,"p":"abc"}}`, base64.StdEncoding.EncodeToString([]byte(event)))
	}
	for _, c := range []struct{ name, response, body, stream, skip string }{
		{"a whole answer, numbers as spelled", `"body":{"a": 1.50, "b": [ 1e2 ]}`, `{"a":1.50,"b":[1e2]}`, "", ""},
		{"no JSON", `"body":"<html>"`, `<html>`, "", ""},
		{"a stream", `"sse":"data: {}\n\n","chunk_bytes":[4,6]`, "", "data: {}\n\n", ""},
		{"AWS frames", `"events":[` + frame(`{"type":"ping"}`) + `]`, "", "event: ping\ndata: {\"type\":\"ping\"}\n\n", ""},
		{"other AWS frames", `"events":[{"headers":{":event-type":"metadata"},"payload":{}}]`, "", "", `AWS frame "metadata" holds no event of the dialect`},
	} {
		t.Run(c.name, func(t *testing.T) {
			x, err := Parse([]byte(`{"id":"x","dialect":"anthropic-messages","provider":"p","feature":["chat","tools"],
				"request":{"method":"POST","path":"/v1/messages?beta=true","headers":{"anthropic-version":"1"},"body":{"seed": 15259210161316577000}},
				"response":{"status":200,"headers":{"retry-after":"1"},` + c.response + `}}`))
			if err != nil {
				t.Fatal(err)
			}
			if string(x.Body) != c.body || string(x.Stream) != c.stream || x.Skip != c.skip {
				t.Errorf("got body %s, stream %q, skip %q", x.Body, x.Stream, x.Skip)
			}
			if x.Dialect != "anthropic" || x.Path != "/v1/messages" || x.Query.Get("beta") != "true" || string(x.Request) != `{"seed":15259210161316577000}` ||
				x.Header.Get("Anthropic-Version") != "1" || x.RespHeader.Get("Retry-After") != "1" || strings.Join(x.Feature(), " ") != "tools" {
				t.Errorf("got %+v", x)
			}
		})
	}
}
