package overlay

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// What a stream is remembered by outlives the event that it stood in.
func TestStreamsRememberNames(t *testing.T) {
	p := planOf(t, `{id: x, version: 1, ops: [{op: stream_rekey, path: "calls[*]"}]}`)
	in := strings.Repeat(`data: {"calls":[{"id":"first","index":0}]}`+"\n\n", 2) + `data: {"other":"xxxxxxxxxxxxxxxxxxxxx"}` + "\n\n" +
		`data: {"calls":[{"id":"second","index":0}]}` + "\n\n" + `data: {"padded":0, "calls":[{"id":"third","index":0}]}` + "\n\n"
	out, err := io.ReadAll(p.Begin(nil).Stream(iotest.OneByteReader(strings.NewReader(in)), SSE, 0))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(out), `"id":"second","index":1`) || !strings.Contains(string(out), `"id":"third","index":2`) {
		t.Errorf("ids are counted anew:\n%s", out)
	}
}
