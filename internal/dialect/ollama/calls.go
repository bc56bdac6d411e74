package ollama

// callRef is a call that may be answered.
type callRef struct {
	id, name string
	made     bool
	answered bool
}

// callBook holds the calls of a conversation so far, for the results that follow.
// However many there are, a result finds its own at once.
type callBook struct {
	list   []callRef
	first  int              // all before it are answered
	byID   map[string]int   // the latest one; nil while there are few
	byName map[string][]int // those that may be open
}

// fewCalls is how many are looked through one by one.
const fewCalls = 32

func (b *callBook) add(c callRef) {
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
		b.byID[c.id] = i
		b.byName[c.name] = append(b.byName[c.name], i)
	}
}

// find returns the latest call with the id, or nil.
func (b *callBook) find(id string) *callRef {
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
		if b.list[i].id == id {
			return &b.list[i]
		}
	}
	return nil
}

// take returns the id of the first call of the tool (of any, without a name)
// that has no answer yet, and marks it as answered.
func (b *callBook) take(name string) string {
	if name != "" && b.byName != nil {
		for q := b.byName[name]; len(q) > 0; q = q[1:] {
			b.byName[name] = q[1:]
			if c := &b.list[q[0]]; !c.answered {
				c.answered = true
				return c.id
			}
		}
		return ""
	}
	for b.first < len(b.list) && b.list[b.first].answered {
		b.first++
	}
	for i := b.first; i < len(b.list); i++ {
		if c := &b.list[i]; !c.answered && (name == "" || c.name == name) {
			c.answered = true
			return c.id
		}
	}
	return ""
}
