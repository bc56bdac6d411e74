// Package session keeps answers, so that a later request can go on from one by
// its id alone, whoever is asked then. What it keeps is canonical history: the
// provider that answered need not keep anything, and another may go on.
//
// Everything lies in memory, is gone with the process, and is bounded by number,
// bytes and age. Conversations share what they have in common: an answer holds
// its own turn and the one that it went on from.
package session

import (
	"container/list"
	"sync"
	"time"

	"github.com/aratta-gateway/aratta/scri"
)

// Limits bound what a Store keeps. Zero means the default.
type Limits struct {
	Answers int           // how many; 4096
	Bytes   int           // of all answers and what was asked for them; 64 MB
	Age     time.Duration // since an answer was last used; 24 hours
}

// The defaults.
const (
	DefaultAnswers = 4096
	DefaultBytes   = 64 << 20
	DefaultAge     = 24 * time.Hour
)

// share is which part of the bytes one turn may take.
const share = 4

// Caller is whose an answer is. Nobody else can see it.
type Caller struct {
	Key      string // name of the gateway's key that was sent; "" = none
	Loopback bool   // without a key, from this machine
}

// Turn is one request and its answer. It must not be changed: conversations share it.
type Turn struct {
	ID        string
	Request   *scri.ChatRequest  // as it came; none of its memory belongs to an exchange
	Response  *scri.ChatResponse // less lineage and warnings
	Aside     int                // so many first messages of the request are no part of the conversation
	Sovereign bool               // nothing of it may leave zone local
	Before    *Turn              // what it went on from; nil = it began the conversation

	size int
	refs int // of answers and later turns that are kept; guarded by the store
}

// History is the conversation up to and with the answer of t.
func (t *Turn) History() []scri.Message {
	n := 0
	for b := t; b != nil; b = b.Before {
		n += len(b.asked()) + len(b.answered())
	}
	out := make([]scri.Message, n)
	for b := t; b != nil; b = b.Before {
		n -= copy(out[n-len(b.answered()):], b.answered())
		n -= copy(out[n-len(b.asked()):], b.asked())
	}
	return out
}

// Input is what the answer of t was given to: the conversation before it, and
// what was asked. What was said for this answer alone is not in it.
func (t *Turn) Input() []scri.Message {
	var out []scri.Message
	if t.Before != nil {
		out = t.Before.History()
	}
	return append(out, t.asked()...)
}

func (t *Turn) asked() []scri.Message { return t.Request.Messages[t.Aside:] }

func (t *Turn) answered() []scri.Message {
	if len(t.Response.Choices) == 0 {
		return nil
	}
	return t.Response.Choices[0].Output
}

// Store keeps answers. It is safe for concurrent use.
type Store struct {
	limits Limits
	now    func() time.Time

	mu    sync.Mutex
	byID  map[key]*list.Element // of *entry
	used  list.List             // the last used first
	bytes int
}

type key struct {
	caller Caller
	id     string
}

type entry struct {
	key  key
	turn *Turn
	used time.Time
}

// New returns an empty store. now tells the time; nil = the clock.
func New(l Limits, now func() time.Time) *Store {
	if l.Answers <= 0 {
		l.Answers = DefaultAnswers
	}
	if l.Bytes <= 0 {
		l.Bytes = DefaultBytes
	}
	if l.Age <= 0 {
		l.Age = DefaultAge
	}
	if now == nil {
		now = time.Now
	}
	return &Store{limits: l, now: now, byID: map[key]*list.Element{}}
}

// Most is how many bytes one turn may take.
func (s *Store) Most() int { return s.limits.Bytes / share }

// Put keeps a turn under its id, in place of one that had it before. It reports
// false, and keeps nothing, if the turn is too large.
func (s *Store) Put(c Caller, t *Turn) bool {
	t.size = t.Request.Size() + t.Response.Size()
	if t.size > s.Most() {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	k := key{c, t.ID}
	s.hold(t)
	if old := s.byID[k]; old != nil {
		s.remove(old)
	}
	s.byID[k] = s.used.PushFront(&entry{key: k, turn: t, used: s.now()})
	s.trim()
	return true
}

// Get returns the turn whose answer has the id, or nil.
func (s *Store) Get(c Caller, id string) *Turn {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trim()
	e := s.byID[key{c, id}]
	if e == nil {
		return nil
	}
	v := e.Value.(*entry)
	v.used = s.now()
	s.used.MoveToFront(e)
	return v.turn
}

// Delete forgets an answer and reports whether it was there. What has gone on from
// it stays.
func (s *Store) Delete(c Caller, id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trim()
	e := s.byID[key{c, id}]
	if e == nil {
		return false
	}
	s.remove(e)
	return true
}

// Bytes is about how much memory the answers take.
func (s *Store) Bytes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bytes
}

// trim forgets what is too old, and the least used of what is too much.
func (s *Store) trim() {
	for e := s.used.Back(); e != nil; e = s.used.Back() {
		over := len(s.byID) > s.limits.Answers || s.bytes > s.limits.Bytes
		if !over && s.now().Sub(e.Value.(*entry).used) < s.limits.Age {
			return
		}
		s.remove(e)
	}
}

func (s *Store) remove(e *list.Element) {
	v := s.used.Remove(e).(*entry)
	delete(s.byID, v.key)
	s.release(v.turn)
}

// hold counts t, and what it went on from, as kept. What nobody kept any more may
// be kept again, if a request was under way that goes on from it.
func (s *Store) hold(t *Turn) {
	for ; t != nil; t = t.Before {
		if t.refs++; t.refs > 1 {
			return
		}
		s.bytes += t.size
	}
}

func (s *Store) release(t *Turn) {
	for ; t != nil; t = t.Before {
		if t.refs--; t.refs > 0 {
			return
		}
		s.bytes -= t.size
	}
}
