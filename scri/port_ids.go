package scri

import (
	"hash/fnv"
	"io"
	"strconv"
)

// needsIDs reports whether the target wants calls to have ids at all.
func (t *Traits) needsIDs() bool { return t.PairedCalls || t.CallIDChars != "" || t.CallIDMax > 0 }

// callID is the id of a call, or the one that a result answers.
func callID(p *Part) (string, bool) {
	switch {
	case p.Kind == PartToolCall && p.Call != nil:
		return p.Call.ID, true
	case p.Kind == PartToolResult && p.Result != nil:
		return p.Result.CallID, true
	default:
		return "", false
	}
}

// charset is a set of bytes; the zero value holds them all.
type charset struct {
	some bool
	bits [4]uint64
}

func newCharset(s string) charset {
	c := charset{some: s != ""}
	for i := range len(s) {
		c.bits[s[i]>>6] |= 1 << (s[i] & 63)
	}
	return c
}

func (c *charset) has(b byte) bool { return !c.some || c.bits[b>>6]&(1<<(b&63)) != 0 }

func (t *Traits) fitsID(id string, chars *charset) bool {
	if id == "" || t.CallIDMax > 0 && len(id) > t.CallIDMax {
		return false
	}
	for i := 0; chars.some && i < len(id); i++ {
		if !chars.has(id[i]) {
			return false
		}
	}
	return true
}

// idFitter gives each call an id that fits, and each result that of its call.
type idFitter struct {
	*porter
	used  map[string]bool       // ids that are taken
	now   map[string]string     // id in the input -> id of the last call that had it
	calls map[string]asked      // the last call of an id
	twins map[string]*openCalls // calls of one asking and one id, with their new ids
	turn  int                   // askings so far: turns of the assistant without others between
	open  openCalls
	count int

	digits []byte // of new ids
}

// asked is a call of the asking turn, which is counted from 1.
type asked struct {
	name string
	turn int
}

// openCalls are calls that their id does not tell from one another, until they are
// answered.
type openCalls struct {
	list  []openCall
	named map[string][]int // places in the list, first come first
	first int              // all before it are answered
}

type openCall struct {
	name, id string
	answered bool
}

func (o *openCalls) add(name, id string) {
	if o.named == nil {
		o.named = map[string][]int{}
	}
	o.named[name] = append(o.named[name], len(o.list))
	o.list = append(o.list, openCall{name: name, id: id})
}

// answer finds the call that a result without an id belongs to: the first open
// one of its name, else the first where one of them has none.
func (o *openCalls) answer(name string) (id string, ok bool) {
	i, ok := o.next(name)
	switch {
	case ok:
	case name != "":
		i, ok = o.next("")
	default:
		for o.first < len(o.list) && o.list[o.first].answered {
			o.first++
		}
		i, ok = o.first, o.first < len(o.list)
	}
	if !ok {
		return "", false
	}
	o.list[i].answered = true
	return o.list[i].id, true
}

// next returns the first open call of exactly this name.
func (o *openCalls) next(name string) (int, bool) {
	queue := o.named[name]
	for len(queue) > 0 && o.list[queue[0]].answered {
		queue = queue[1:]
	}
	if len(queue) == 0 {
		delete(o.named, name)
		return 0, false
	}
	o.named[name] = queue
	return queue[0], true
}

func (p *porter) fitIDs() {
	f := idFitter{porter: p, used: map[string]bool{}, now: map[string]string{}, calls: map[string]asked{}, turn: 1}
	for i := range p.turns {
		for _, c := range p.turns[i].pieces {
			if id, ok := callID(c.p); ok {
				f.used[id] = true
			}
		}
	}
	for i := range p.turns {
		t := &p.turns[i]
		if t.role == RoleAssistant && (i == 0 || p.turns[i-1].role != RoleAssistant) {
			f.turn++
			f.twins = nil
		}
		for j := range t.pieces {
			c := &t.pieces[j]
			old, ok := callID(c.p)
			if !ok {
				continue
			}
			var id string
			if c.p.Kind == PartToolCall {
				id = f.forCall(c.p.Call)
			} else {
				id = f.forResult(old, c.p.Result.Name)
			}
			if id != old {
				t.changed = true
				f.rename(c, old, id)
			}
		}
	}
}

func (f *idFitter) forCall(c *ToolCall) string {
	f.count++
	old, id := c.ID, c.ID
	unique := f.t.PairedCalls && c.Server == ""
	switch {
	case old == "":
		id = f.make("\x00" + strconv.Itoa(f.count))
		f.open.add(c.Name, id)
	case unique && f.calls[old].turn > 0:
		id = f.make(old + "\x00" + strconv.Itoa(f.count))
		if f.calls[old].turn == f.turn {
			f.calledTwice(c, id)
		}
	case f.now[old] != "":
		id = f.now[old]
	case !f.t.fitsID(old, &f.chars):
		id = f.make(old)
	default:
	}
	if unique {
		f.calls[old] = asked{c.Name, f.turn}
	}
	f.now[old] = id
	return id
}

// calledTwice notes that a call has the id of another one of the same asking.
func (f *idFitter) calledTwice(c *ToolCall, id string) {
	if f.twins == nil {
		f.twins = map[string]*openCalls{}
	}
	o := f.twins[c.ID]
	if o == nil {
		o = new(openCalls)
		o.add(f.calls[c.ID].name, f.now[c.ID])
		f.twins[c.ID] = o
	}
	o.add(c.Name, id)
}

// twin finds which of several calls of one id a result answers: the first of its name
// that is open, else the first. Results come in the order of their calls.
func (f *idFitter) twin(old, name string) (id string, ok bool) {
	o := f.twins[old]
	if o == nil {
		return "", false
	}
	if id, ok = o.answer(name); !ok && name != "" {
		id, ok = o.answer("")
	}
	return id, ok
}

func (f *idFitter) forResult(old, name string) string {
	if old == "" {
		return f.answer(name)
	}
	if id, ok := f.twin(old, name); ok {
		return id
	}
	if id := f.now[old]; id != "" {
		return id
	}
	if f.t.PairedCalls || f.t.fitsID(old, &f.chars) {
		return old // where calls are paired it is an orphan, whose id goes
	}
	f.now[old] = f.make(old)
	return f.now[old]
}

// answer is the id of the call that a result without an id belongs to. Without
// any it is an orphan and gets an id only where nobody mends orphans.
func (f *idFitter) answer(name string) string {
	if id, ok := f.open.answer(name); ok {
		return id
	}
	if f.t.PairedCalls {
		return ""
	}
	f.count++
	return f.make("\x00" + strconv.Itoa(f.count))
}

func (f *idFitter) rename(c *piece, old, id string) {
	part := *c.p
	member := "/call/id"
	if part.Kind == PartToolCall {
		call := *part.Call
		call.ID = id
		part.Call = &call
	} else {
		result := *part.Result
		result.CallID = id
		part.Result = &result
		member = "/result/call_id"
	}
	c.p = &part
	if old == "" {
		f.warn(WarnAdded, c.path()+member, "", id, "the target needs an id")
		return
	}
	f.warn(WarnChanged, c.path()+member, old, id, "the target does not take this id")
}

// make makes an id that fits of a seed: the same of the same, unless it is taken.
func (f *idFitter) make(seed string) string {
	const most = 1000 // tries; fewer ids than calls fit into a very short id
	id := ""
	for salt := range most {
		id = f.encode(seed, salt)
		if !f.used[id] {
			break
		}
	}
	f.used[id] = true
	return id
}

func (f *idFitter) encode(seed string, salt int) string {
	const (
		length = 9 // the shortest limit in use, and 53 bits
		prefix = "call_"
	)
	if f.digits == nil {
		f.digits = f.t.digits(&f.chars)
	}
	h := fnv.New64a()
	_, _ = io.WriteString(h, seed) // never fails
	_, _ = h.Write([]byte{0, byte(salt), byte(salt >> 8)})
	sum := h.Sum64()
	id, n := make([]byte, 0, len(prefix)+length), length
	if f.t.CallIDMax > 0 {
		n = min(n, f.t.CallIDMax)
	}
	if (f.t.CallIDMax == 0 || f.t.CallIDMax >= length+len(prefix)) && f.t.fitsID(prefix, &f.chars) {
		id = append(id, prefix...)
	}
	for range n {
		id = append(id, f.digits[sum%uint64(len(f.digits))])
		sum /= uint64(len(f.digits))
	}
	return string(id)
}

// digits are what new ids are made of.
func (t *Traits) digits(chars *charset) []byte {
	const letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	var out []byte
	for i := range len(letters) {
		if chars.has(letters[i]) {
			out = append(out, letters[i])
		}
	}
	if len(out) == 0 {
		return []byte(t.CallIDChars)
	}
	return out
}
