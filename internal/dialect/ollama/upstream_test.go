package ollama_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
	"github.com/aratta-gateway/aratta/internal/dialect/ollama"
	"github.com/aratta-gateway/aratta/internal/wire"
)

// A member that does not fit its shape is passed on in place of the usual one,
// not beside it.
func TestMisfitsInLinesStayAlone(t *testing.T) {
	stream := []byte(`{"model":"m","created_at":"2025-01-02T03:04:05Z","message":{"role":"assistant","content":"a"},"done":false}
{"model":5,"created_at":"2025-01-02T03:04:05Z","message":{"role":7,"content":"b"},"done":"no","x":1}
{"model":"m","created_at":"2025-01-02T03:04:05Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","eval_count":1}
`)
	d := ollama.New()
	s := d.DecodeStream(&dialect.Answer{Status: 200, Stream: bytes.NewReader(stream)})
	b, _, _ := dialecttest.WriteStream(d, dialecttest.Hello(), s)
	for line := range bytes.Lines(b) {
		if err := wire.Valid(bytes.TrimSpace(line)); err != nil {
			t.Errorf("%v in %s", err, line)
		}
	}
}

// Results without ids find their calls in linear time, however many there are.
func TestManyResultsFindTheirCalls(t *testing.T) {
	const n = 200_000
	var b bytes.Buffer
	b.WriteString(`{"model":"m","messages":[{"role":"assistant","content":"","tool_calls":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`{"function":{"name":"f","arguments":{}}}`)
	}
	b.WriteString(`]}`)
	for i := range n {
		if i%2 == 0 {
			b.WriteString(`,{"role":"tool","content":"x"}`)
		} else {
			b.WriteString(`,{"role":"tool","content":"x","tool_call_id":"y"}`)
		}
	}
	b.WriteString(`],"stream":false}`)
	d := ollama.New()
	req, err := d.DecodeRequest(dialecttest.Incoming(d, "", http.Header{}, b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	out, _, err := d.EncodeRequest(req, &dialect.Target{Model: "m"})
	if err != nil || !bytes.Contains(out.Body, []byte(`"tool_call_id":"y"`)) {
		t.Fatal(err)
	}
}

// Tokens of nothing do not gather without end.
func TestTokensOfNothingAreBounded(t *testing.T) {
	const n = 10_000
	s := ollama.New().DecodeStream(&dialect.Answer{Status: 200, Stream: strings.NewReader(strings.Repeat(`{"model":"m","created_at":"2025-01-02T03:04:05Z","message":{"role":"assistant","content":""},"logprobs":[{"token":"x","logprob":-1}],"done":false}`+"\n", n))})
	told := 0
	for {
		e, err := s.Next()
		if err != nil {
			break
		}
		told += len(e.LogProbs)
	}
	if told < n-4096 || told > n {
		t.Errorf("%d of %d tokens were told of", told, n)
	}
}
