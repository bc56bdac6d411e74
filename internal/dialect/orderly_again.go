package dialect

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/aratta-gateway/aratta/scri"
)

// mostKept bounds what Orderly keeps for the end of an answer whose beginning or
// finishes are told again and again.
const mostKept = 8 << 20

// Without their texts, warnings and tokens take about so many bytes each.
const (
	warningSize = 128
	logProbSize = 160
)

func sizeOfWarnings(list []scri.Warning) (n int) {
	for i := range list {
		w := &list[i]
		n += warningSize + len(w.Code) + len(w.Path) + len(w.From) + len(w.To) + len(w.Detail)
	}
	return n
}

func sizeOfLogProbs(list []scri.TokenLogProb) (n int) {
	for i := range list {
		l := &list[i]
		n += logProbSize + l.Token.Size() + strconv.IntSize/8*len(l.Bytes) + sizeOfLogProbs(l.Top)
		if l.Ext != nil {
			n += len(l.Ext.Members) + len(l.Ext.Form)
		}
	}
	return n
}

// toldAgain is what Orderly keeps of what is told more than once.
type toldAgain struct {
	head *scri.ChatResponse // of beginnings after the first; nil: there were none
	ext  layeredExt         // of head
	kept int                // about how many bytes are kept
}

// keeps is where it is kept.
func (o *orderly) keeps() *toldAgain {
	if o.again == nil {
		o.again = new(toldAgain)
	}
	return o.again
}

// keep counts what is kept, or no more.
func (o *orderly) keep(bytes int) {
	a := o.keeps()
	if a.kept += bytes; a.kept > mostKept {
		o.fail(Unreadable(fmt.Errorf("what an answer tells again of its beginning and its end is more than %d MB", mostKept>>20)))
	}
}

func (o *orderly) begunAgain() bool { return o.again != nil && o.again.head != nil }

// belated keeps what a second beginning tells for the last event.
func (o *orderly) belated(h *scri.ChatResponse) {
	if h == nil {
		return
	}
	a, more := o.keeps(), h.Clone()
	if a.head == nil {
		a.head = new(scri.ChatResponse)
	}
	warnings := len(a.head.Warnings)
	joinHeads(a.head, more)
	o.keep(a.ext.add(more.Ext) + sizeOfWarnings(a.head.Warnings[warnings:]))
}

// late is what the beginnings after the first told.
func (a *toldAgain) late() *scri.ChatResponse {
	a.head.Ext = a.ext.join()
	return a.head
}

// joinHeads lays what came later over what came before, but for the Ext.
func joinHeads(h, later *scri.ChatResponse) {
	if later.ID != "" {
		h.ID = later.ID
	}
	if later.Model != "" {
		h.Model = later.Model
	}
	if later.Provider != "" {
		h.Provider = later.Provider
	}
	if !later.Created.IsZero() {
		h.Created = later.Created
	}
	if later.Usage != nil {
		h.Usage = later.Usage
	}
	if later.Lineage != nil {
		h.Lineage = later.Lineage
	}
	if !slices.Equal(h.Warnings, later.Warnings) {
		h.Warnings = append(h.Warnings, later.Warnings...)
	}
}

// finish keeps the finish of a choice until nothing of it can follow any more.
func (o *orderly) finish(e *scri.StreamEvent) {
	o.told = true
	c := o.choice(e.Choice)
	f := e.Clone()
	if old := c.finish; old != nil { // the last word counts
		if f.Finish == nil {
			f.Finish = old.Finish
		}
		if c.ext == nil {
			c.ext = new(layeredExt)
			c.ext.add(old.Ext)
		}
		o.keep(c.ext.add(f.Ext) + sizeOfLogProbs(f.LogProbs))
		f.LogProbs = append(old.LogProbs, f.LogProbs...)
	}
	c.finish = f
}

// layeredExt is what the Exts of events about one thing come to.
type layeredExt struct {
	last    *scri.Ext
	members Layers
}

// add lays one, which it keeps, over those before, and tells how many bytes more it
// holds then.
func (l *layeredExt) add(e *scri.Ext) int {
	if e == nil {
		return 0
	}
	before := l.members.Size()
	if l.last != nil && l.last.Dialect != e.Dialect {
		l.members = Layers{} // nobody could write a mixture
	}
	l.last = e
	if len(e.Members) > len("{}") {
		l.members.Add(e.Members)
	}
	return l.members.Size() - before
}

// join is what they come to, or nil.
func (l *layeredExt) join() *scri.Ext {
	if l.last == nil {
		return nil
	}
	ext := *l.last
	ext.Members = l.members.Object()
	return &ext
}
