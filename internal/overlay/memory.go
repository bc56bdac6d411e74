package overlay

import (
	"container/list"
	"hash/maphash"
	"sync"
)

// Bounds of what is remembered for echo.
const (
	maxConversations = 1 << 10
	maxTurns         = 256     // values of one conversation
	maxRemembered    = 4 << 20 // bytes of one conversation
	maxMemory        = 64 << 20
)

// memory keeps fields of answers until the next request of their conversation.
// What was not asked for the longest goes first: whole conversations, and within
// one the oldest values.
type memory struct {
	seed maphash.Seed

	mu    sync.Mutex
	known map[uint64]*list.Element // of conversation
	used  list.List                // the last used in front
	size  int
}

type turnKey struct {
	before uint64 // fingerprint of the turns before it
	what   string
}

type conversation struct {
	id     uint64
	values map[turnKey][]byte
	order  []turnKey
	size   int
}

func newMemory() *memory {
	return &memory{seed: maphash.MakeSeed(), known: map[uint64]*list.Element{}}
}

func (m *memory) get(id uint64, key turnKey) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.known[id]
	if !ok {
		return nil
	}
	m.used.MoveToFront(e)
	return e.Value.(*conversation).values[key]
}

func (m *memory) put(id uint64, key turnKey, raw []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.known[id]
	if !ok {
		e = m.used.PushFront(&conversation{id: id, values: map[turnKey][]byte{}})
		m.known[id] = e
	}
	m.used.MoveToFront(e)
	c := e.Value.(*conversation)
	if old, ok := c.values[key]; ok {
		m.grow(c, -len(old))
	} else {
		c.order = append(c.order, key)
	}
	c.values[key] = raw
	m.grow(c, len(raw))
	for len(c.order) > 1 && (len(c.order) > maxTurns || c.size > maxRemembered) {
		m.grow(c, -len(c.values[c.order[0]]))
		delete(c.values, c.order[0])
		c.order = c.order[1:]
	}
	for len(m.known) > maxConversations || m.size > maxMemory {
		last := m.used.Back()
		old := last.Value.(*conversation)
		m.used.Remove(last)
		delete(m.known, old.id)
		m.size -= old.size
	}
}

func (m *memory) grow(c *conversation, n int) {
	c.size += n
	m.size += n
}
