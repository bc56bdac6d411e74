package ollama

// callRef is a call that may be answered.
type callRef struct {
	id, name string
	made     bool
	answered bool
}

// callBook holds the calls of a conversation so far, for the results that follow.
// Nothing is looked for twice, however many there are.
type callBook struct {
	list   []callRef
	first  int            // all before it are answered
	byID   map[string]int // the latest one
	byName map[string][]int
}

func (b *callBook) add(c callRef) {
	if b.byID == nil {
		b.byID, b.byName = map[string]int{}, map[string][]int{}
	}
	b.byID[c.id] = len(b.list)
	b.byName[c.name] = append(b.byName[c.name], len(b.list))
	b.list = append(b.list, c)
}

// find returns the latest call with the id, or nil.
func (b *callBook) find(id string) *callRef {
	if i, ok := b.byID[id]; ok && id != "" {
		return &b.list[i]
	}
	return nil
}

// take returns the id of the first call of the tool (of any, without a name)
// that has no answer yet, and marks it as answered.
func (b *callBook) take(name string) string {
	for ; name == "" && b.first < len(b.list); b.first++ {
		if c := &b.list[b.first]; !c.answered {
			c.answered = true
			return c.id
		}
	}
	for q := b.byName[name]; name != "" && len(q) > 0; q = q[1:] {
		b.byName[name] = q[1:]
		if c := &b.list[q[0]]; !c.answered {
			c.answered = true
			return c.id
		}
	}
	return ""
}
