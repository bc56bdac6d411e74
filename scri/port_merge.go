package scri

import "slices"

// Templates of some open models are strict about who may speak when: a history
// that does not fit is refused by the runtime, or worse, cut. What the traits
// demand is done last, when calls and results have their places.

// arranged reports whether nothing has to be merged.
func (t *Traits) arranged(list []Message) bool {
	if !t.Alternate && !t.OneSystem && !t.NoSystem {
		return true
	}
	before, first := Role(""), true
	for i := range list {
		r := list[i].Role
		switch {
		case isSystem(r):
			if t.NoSystem || t.OneSystem && i > 0 {
				return false
			}
		case t.Alternate && (r == before && mergeable(r) || first && r == RoleAssistant):
			return false
		}
		if !isSystem(r) {
			before, first = r, false
		}
	}
	return true
}

func mergeable(r Role) bool { return r == RoleUser || r == RoleAssistant }

// arrange merges what must not stand apart.
func (p *porter) arrange() {
	if p.t.NoSystem {
		p.liftSystem()
	}
	in := p.turns
	p.turns = make([]turn, 0, len(in)+1)
	spoken := false
	for i := range in {
		t, n := &in[i], len(p.turns)
		switch {
		case n > 0 && p.t.OneSystem && isSystem(t.role) && isSystem(p.turns[n-1].role),
			n > 0 && p.t.Alternate && mergeable(t.role) && p.turns[n-1].role == t.role:
			p.join(&p.turns[n-1], t)
		case p.t.Alternate && !spoken && t.role == RoleAssistant:
			said := TextPart("(The assistant speaks first.)")
			p.warn(WarnAdded, messagePath(max(t.in, 0)), "", string(RoleUser), "the target wants the user to speak first")
			p.turns = append(p.turns, turn{in: -1, role: RoleUser, changed: true, pieces: []piece{{p: &said}}}, *t)
		default:
			p.turns = append(p.turns, *t)
		}
		spoken = spoken || !isSystem(t.role)
	}
}

// liftSystem makes the system text before the conversation the beginning of what
// the user says first. Later ones are the user's already.
func (p *porter) liftSystem() {
	n := 0
	for n < len(p.turns) && isSystem(p.turns[n].role) {
		t := &p.turns[n]
		p.warn(WarnChanged, messagePath(t.in)+"/role", string(t.role), string(RoleUser), "the target knows no system text")
		t.role, t.changed = RoleUser, true
		n++
	}
	if n == 0 {
		return
	}
	if n < len(p.turns) && p.turns[n].role == RoleUser {
		n++
	}
	for i := 1; i < n; i++ {
		p.join(&p.turns[0], &p.turns[i])
	}
	p.turns = append(p.turns[:1], p.turns[n:]...)
}

// join puts what a turn says into the one before it.
func (p *porter) join(to, t *turn) {
	to.pieces = append(slices.Clip(to.pieces), t.pieces...)
	to.changed = true
	if t.in < 0 {
		return
	}
	p.warn(WarnChanged, messagePath(t.in)+"/content", "", "", "joined with the message before it")
	if t.m.Name != "" {
		p.warn(WarnDropped, messagePath(t.in)+"/name", t.m.Name, "", "the message was joined with the one before it")
	}
	if t.m.Ext != nil {
		p.warn(WarnDropped, messagePath(t.in)+"/ext", "", "", "the message was joined with the one before it")
	}
}
