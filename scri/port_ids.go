package scri

import (
	"hash/fnv"
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
	used  map[string]bool   // ids that are taken
	now   map[string]string // id in the input -> id of the last call that had it
	calls map[string]bool   // ids of calls so far
	open  []openCall        // calls of the input without an id, until answered
	count int
}

type openCall struct{ name, id string }

func (p *porter) fitIDs() {
	f := idFitter{porter: p, used: map[string]bool{}, now: map[string]string{}, calls: map[string]bool{}}
	for i := range p.turns {
		for _, c := range p.turns[i].pieces {
			if id, ok := callID(c.p); ok {
				f.used[id] = true
			}
		}
	}
	for i := range p.turns {
		t := &p.turns[i]
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
		f.open = append(f.open, openCall{name: c.Name, id: id})
	case unique && f.calls[old]:
		id = f.make(old + "\x00" + strconv.Itoa(f.count))
	case f.now[old] != "":
		id = f.now[old]
	case !f.t.fitsID(old, &f.chars):
		id = f.make(old)
	default:
	}
	f.calls[old] = f.calls[old] || unique
	f.now[old] = id
	return id
}

func (f *idFitter) forResult(old, name string) string {
	if old == "" {
		return f.answer(name)
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

// answer finds the call that a result without an id belongs to: the first open
// one of its name, else the first. Without any it is an orphan and gets an id
// only where nobody mends orphans.
func (f *idFitter) answer(name string) string {
	best := -1
	for i, c := range f.open {
		if c.name == name {
			best = i
			break
		}
		if best < 0 && (name == "" || c.name == "") {
			best = i
		}
	}
	if best >= 0 {
		id := f.open[best].id
		f.open = append(f.open[:best], f.open[best+1:]...)
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
		letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		length  = 9 // the shortest limit in use, and 53 bits
		prefix  = "call_"
	)
	digits := make([]byte, 0, len(letters))
	for i := range len(letters) {
		if f.chars.has(letters[i]) {
			digits = append(digits, letters[i])
		}
	}
	if len(digits) == 0 {
		digits = []byte(f.t.CallIDChars)
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(seed)) // never fails
	_, _ = h.Write([]byte{0, byte(salt), byte(salt >> 8)})
	sum := h.Sum64()
	id, n := "", length
	if f.t.CallIDMax > 0 {
		n = min(n, f.t.CallIDMax)
	}
	if (f.t.CallIDMax == 0 || f.t.CallIDMax >= length+len(prefix)) && f.t.fitsID(prefix, &f.chars) {
		id = prefix
	}
	for range n {
		id += string(digits[sum%uint64(len(digits))])
		sum /= uint64(len(digits))
	}
	return id
}
