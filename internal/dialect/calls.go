package dialect

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// CallRef is a call that may be answered.
type CallRef struct {
	ID, Name string
	Made     bool // the id was made, as the format has none or gave none
	answered bool
}

// CallBook holds the calls of a conversation so far, for results that follow,
// where a format pairs them by name and order. However many there are, a result
// finds its own at once. The zero CallBook is ready for use.
type CallBook struct {
	list   []CallRef
	first  int              // all before it are answered
	byID   map[string]int   // the latest one; nil while there are few
	byName map[string][]int // those that may be open
}

// fewCalls is how many are looked through one by one.
const fewCalls = 32

// Add notes a call.
func (b *CallBook) Add(c CallRef) {
	b.list = append(b.list, c)
	from := len(b.list) - 1
	switch {
	case from < fewCalls:
		return
	case b.byID == nil:
		b.byID, b.byName, from = map[string]int{}, map[string][]int{}, 0
	}
	for i := from; i < len(b.list); i++ {
		c := &b.list[i]
		b.byID[c.ID] = i
		b.byName[c.Name] = append(b.byName[c.Name], i)
	}
}

// Find returns the latest call with the id, or nil.
func (b *CallBook) Find(id string) *CallRef {
	if id == "" {
		return nil
	}
	if b.byID != nil {
		if i, ok := b.byID[id]; ok {
			return &b.list[i]
		}
		return nil
	}
	for i := len(b.list) - 1; i >= 0; i-- {
		if b.list[i].ID == id {
			return &b.list[i]
		}
	}
	return nil
}

// Answer notes that the latest call with the id has its result.
func (b *CallBook) Answer(id string) {
	if c := b.Find(id); c != nil {
		c.answered = true
	}
}

// Take returns the id of the first call of the tool (of any, without a name)
// that has no answer yet, and marks it as answered.
func (b *CallBook) Take(name string) string {
	if name != "" && b.byName != nil {
		for q := b.byName[name]; len(q) > 0; q = q[1:] {
			b.byName[name] = q[1:]
			if c := &b.list[q[0]]; !c.answered {
				c.answered = true
				return c.ID
			}
		}
		return ""
	}
	for b.first < len(b.list) && b.list[b.first].answered {
		b.first++
	}
	for i := b.first; i < len(b.list); i++ {
		if c := &b.list[i]; !c.answered && (name == "" || c.Name == name) {
			c.answered = true
			return c.ID
		}
	}
	return ""
}

// OddResults reports whether a message holds results of the client's tools though
// its speaker is none of whom such are expected. Where each result is a message of a
// tool, that role is lost.
func OddResults(m *scri.Message) bool {
	return m.Role != scri.RoleTool && m.Role != scri.RoleUser && m.Role != "" &&
		slices.ContainsFunc(m.Parts, func(p scri.Part) bool { return p.Result != nil && p.Result.Server == "" })
}

// CallIDs makes ids for calls that have none. They are the same whenever the same
// bytes are read.
type CallIDs struct {
	Prefix string
	n      int
}

// Make returns the id of the next call, of that tool.
func (m *CallIDs) Make(name string) string {
	m.n++
	id := m.Prefix + strconv.Itoa(m.n-1)
	if name == "" {
		return id
	}
	return id + "_" + name
}

// Skip counts a call that has an id.
func (m *CallIDs) Skip() { m.n++ }

// IsObject reports whether raw is one JSON object. It is looked at with s.
func IsObject(s *wire.Scanner, raw []byte) bool {
	s.Reset(raw)
	if s.Kind() != wire.Object {
		return false
	}
	s.Skip()
	return s.End() == nil
}

// WriteArgs writes the arguments of a call where they must be an object. It returns
// why others than the given ones were written, and which, or "".
func WriteArgs(w *wire.Writer, t scri.Text, check *wire.Scanner) (to, why string) {
	n := len(w.B)
	w.B = t.AppendText(w.B)
	raw := bytes.TrimSpace(w.B[n:])
	switch {
	case len(raw) == 0:
		w.B = append(w.B[:n], "{}"...)
		return "{}", "arguments must be an object"
	case !IsObject(check, raw):
		w.B = append(w.B[:n], `{"_invalid_json":`...)
		w.B = t.AppendJSON(w.B)
		w.EndObject()
		return "", "arguments that are no JSON object were wrapped in one"
	default:
		return "", ""
	}
}
