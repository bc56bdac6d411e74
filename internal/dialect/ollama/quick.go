package ollama

import (
	"bytes"

	"github.com/aratta-gateway/aratta/scri"
)

// quick reads the lines that nearly all of a stream consists of: those that
// differ from the first one in the time and in one text. What it knows of a line
// is its exact bytes up to the text and behind it; every other line is read by
// the scanner.
type quick struct {
	head []byte // of the line, up to the time
}

const (
	// Between the time and the text, and what ends the line.
	beforeText     = `","message":{"role":"assistant","content":"`
	beforeThinking = `","message":{"role":"assistant","content":"","thinking":"`
	beforeResponse = `","response":"`
	afterMessage   = `"},"done":false}`
	afterResponse  = `","done":false}`
)

// learn takes the head from the first line.
func (q *quick) learn(line []byte) {
	const model, created = `{"model":"`, `","created_at":"`
	rest, ok := bytes.CutPrefix(line, []byte(model))
	if i := bytes.IndexAny(rest, `"\`); ok && i >= 0 && bytes.HasPrefix(rest[i:], []byte(created)) {
		q.head = bytes.Clone(line[:len(model)+i+len(created)])
	}
}

// text returns the kind of a line's text and where it stands in the line, its
// quotes included.
func (q *quick) text(line []byte) (kind scri.PartKind, from, to int) {
	if q.head == nil || !bytes.HasPrefix(line, q.head) {
		return "", 0, 0
	}
	i := len(q.head)
	for i < len(line) && isTime(line[i]) {
		i++
	}
	tail := line[i:]
	after := afterMessage
	switch {
	case bytes.HasPrefix(tail, []byte(beforeThinking)):
		kind, from = scri.PartThinking, i+len(beforeThinking)-1
	case bytes.HasPrefix(tail, []byte(beforeText)):
		kind, from = scri.PartText, i+len(beforeText)-1
	case bytes.HasPrefix(tail, []byte(beforeResponse)):
		kind, from, after = scri.PartText, i+len(beforeResponse)-1, afterResponse
	default:
		return "", 0, 0
	}
	to = len(line) - len(after) + 1
	if to-from < 3 || !bytes.HasSuffix(line, []byte(after)) { // an empty text is not worth the trouble
		return "", 0, 0
	}
	return kind, from, to
}

func isTime(c byte) bool {
	return c >= '0' && c <= ':' || c == 'T' || c == 'Z' || c == '.' || c == '-' || c == '+'
}

// quickly reads the line if it is one that quick knows, and queues its event.
func (d *stream) quickly(line []byte) bool {
	kind, from, to := d.quick.text(line)
	if kind == "" {
		return false
	}
	d.s.Reset(line[from:to])
	q := d.s.Str()
	if d.s.End() != nil { // the text ends before the line does
		return false
	}
	d.delta(kind, scri.QuotedText(q), nil)
	return true
}
