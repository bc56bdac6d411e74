package dialecttest

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/aratta-gateway/aratta/internal/wire"
)

// Frames makes an AWS event stream of lines such as
//
//	event contentBlockDelta {"contentBlockIndex":0,"delta":{"text":"Hi"}}
func Frames(text []byte) []byte {
	var out []byte
	for line := range strings.Lines(string(text)) {
		typ, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		name, payload, ok := strings.Cut(rest, " ")
		if ok {
			out = wire.AppendEvent(out, typ, name, []byte(payload))
		}
	}
	return out
}

// Lines shows an AWS event stream as such lines.
func Lines(stream []byte) string {
	var b strings.Builder
	s := wire.NewEventStream(bytes.NewReader(stream), 0)
	for {
		f, err := s.Next()
		if err != nil {
			return b.String()
		}
		fmt.Fprintf(&b, "%s %s %s\n", f.Type, f.Name, f.Payload)
	}
}

// framed makes another AWS event stream of one by its payloads, and reports whether
// it is one.
func framed(stream []byte, f func(payload []byte) []byte) ([]byte, bool) {
	var out []byte
	s := wire.NewEventStream(bytes.NewReader(stream), 0)
	for {
		m, err := s.Next()
		if err != nil {
			return out, len(out) > 0
		}
		out = wire.AppendEvent(out, string(m.Type), string(m.Name), f(m.Payload))
	}
}
