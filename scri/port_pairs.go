package scri

import (
	"hash/maphash"
	"math/bits"
)

// manyCalls is the number of calls in one turn up to which comparing each with
// each beats a table.
const manyCalls = 32

// paired reports, without allocating for histories of usual length, whether
// each call has its result in the turn after it, each result its call, and no
// two calls one id. It may err towards false.
func paired(list []Message) bool {
	total := 0
	for i := 0; i < len(list); {
		start := i
		for i < len(list) && list[i].Role == RoleAssistant {
			i++
		}
		middle := i
		for i < len(list) && list[i].Role != RoleAssistant {
			i++
		}
		calls, ok := pairedTurn(list[start:middle], list[middle:i])
		if !ok {
			return false
		}
		total += calls
	}
	return distinctCalls(list, total)
}

// clientCall and clientResult are the parts that pairing is about: a provider
// that runs a tool itself sees to its own.
func clientCall(p *Part) bool {
	return p.Kind == PartToolCall && p.Call != nil && p.Call.Server == ""
}

func clientResult(p *Part) bool {
	return p.Kind == PartToolResult && p.Result != nil && p.Result.Server == ""
}

func pairedTurn(asked, answered []Message) (int, bool) {
	calls := 0
	for i := range asked {
		for j := range asked[i].Parts {
			p := &asked[i].Parts[j]
			if clientResult(p) {
				return 0, false
			}
			if clientCall(p) {
				calls++
			}
		}
	}
	results, others := 0, false
	for i := range answered {
		only := true
		for j := range answered[i].Parts {
			p := &answered[i].Parts[j]
			if clientCall(p) {
				return 0, false
			}
			if !clientResult(p) {
				only = false
				continue
			}
			results++
			if others || results > manyCalls || !answers(p.Result.CallID, asked) || results > 1 && repeated(p, answered) {
				return 0, false
			}
		}
		others = others || !only
	}
	return calls, calls == results
}

func answers(id string, asked []Message) bool {
	for i := range asked {
		for j := range asked[i].Parts {
			if p := &asked[i].Parts[j]; clientCall(p) && p.Call.ID == id {
				return true
			}
		}
	}
	return false
}

// repeated reports whether a result before p answers the same call.
func repeated(p *Part, in []Message) bool {
	for i := range in {
		for j := range in[i].Parts {
			q := &in[i].Parts[j]
			if q == p {
				return false
			}
			if clientResult(q) && q.Result.CallID == p.Result.CallID {
				return true
			}
		}
	}
	return false
}

// distinctCalls reports whether no two calls have one id, by hashes: it may err
// towards false. They are seeded, so that nobody can choose ids that collide.
func distinctCalls(list []Message, calls int) bool {
	if calls < 2 {
		return true
	}
	// Few on the stack: every request comes this way, and the stack of its connection
	// has room for them from then on.
	var few [64]uint32
	table := few[:]
	if calls > len(few)/2 {
		table = make([]uint32, 1<<bits.Len(uint(2*calls)))
	}
	seed := maphash.MakeSeed()
	for i := range list {
		for j := range list[i].Parts {
			if p := &list[i].Parts[j]; clientCall(p) && !enter(table, uint32(maphash.String(seed, p.Call.ID)>>32)) {
				return false
			}
		}
	}
	return true
}

// enter puts a hash into an open table and reports whether it is new.
func enter(table []uint32, h uint32) bool {
	h = max(h, 1) // 0 is a free place
	for k := int(h) & (len(table) - 1); ; k = (k + 1) & (len(table) - 1) {
		switch table[k] {
		case 0:
			table[k] = h
			return true
		case h:
			return false
		default:
		}
	}
}

// pair gives each call its result in what follows directly, and makes text of
// results that answer no call.
func (p *porter) pair() {
	in := p.turns
	p.turns = make([]turn, 0, len(in)+2)
	for i := 0; i < len(in); {
		start := i
		for i < len(in) && in[i].role == RoleAssistant {
			i++
		}
		middle := i
		for i < len(in) && in[i].role != RoleAssistant {
			i++
		}
		p.pairTurn(in[start:middle], in[middle:i])
	}
}

// callsOf returns the calls of turns, and their ids.
func callsOf(asked []turn) (calls []piece, ids map[string]bool) {
	ids = map[string]bool{}
	for _, t := range asked {
		for _, c := range t.pieces {
			if clientCall(c.p) {
				calls = append(calls, c)
				ids[c.p.Call.ID] = true
			}
		}
	}
	return calls, ids
}

func (p *porter) pairTurn(asked, answered []turn) {
	calls, open := callsOf(asked) // those that nobody has answered yet
	added := turn{in: -1, role: RoleTool, changed: true}
	var told, rest []turn
	for _, t := range asked {
		for _, s := range p.split(t, open, &added) {
			if s.role == RoleAssistant {
				p.turns = append(p.turns, s)
			} else {
				told = append(told, s)
			}
		}
	}
	for _, t := range answered {
		for _, s := range p.split(t, open, nil) {
			switch {
			case resultsOnly(s):
				p.results(s, len(rest) > 0)
			case len(rest) == 0 || p.moveUp(&s, &added):
				rest = append(rest, s)
			}
		}
	}
	for _, c := range calls {
		if open[c.p.Call.ID] {
			added.pieces = append(added.pieces, p.unanswered(c))
		}
	}
	if len(added.pieces) > 0 {
		p.turns = append(p.turns, added)
	}
	p.turns = append(append(p.turns, rest...), told...)
}

func resultsOnly(t turn) bool {
	for _, c := range t.pieces {
		if !clientResult(c.p) {
			return false
		}
	}
	return len(t.pieces) > 0
}

// split takes from a turn the results that answer no open call and says them as
// text of the user behind it. Results inside the asking turn itself go to added.
func (p *porter) split(t turn, open map[string]bool, added *turn) []turn {
	var keep, orphans []piece
	for _, c := range t.pieces {
		switch {
		case !clientResult(c.p):
			keep = append(keep, c)
		case !open[c.p.Result.CallID]:
			orphans = append(orphans, p.orphan(c)...)
		default:
			delete(open, c.p.Result.CallID)
			if added != nil {
				p.warn(WarnChanged, c.path(), "", "", "moved to follow its call")
				added.pieces = append(added.pieces, c)
				continue
			}
			keep = append(keep, c)
		}
	}
	if len(keep) == len(t.pieces) {
		return []turn{t}
	}
	t.changed = true
	if t.role == RoleTool && len(keep) == 0 {
		t.role = RoleUser
	}
	if t.role != RoleAssistant && t.role != RoleTool {
		t.pieces = append(keep, orphans...)
		return []turn{t}
	}
	t.pieces = keep
	var out []turn
	if len(keep) > 0 {
		out = append(out, t)
	}
	if len(orphans) > 0 {
		out = append(out, turn{in: -1, role: RoleUser, pieces: orphans, changed: true})
	}
	return out
}

// moveUp takes the results from a turn that comes too late for them, and reports
// whether there is anything else in it.
func (p *porter) moveUp(t, added *turn) bool {
	var keep []piece
	for _, c := range t.pieces {
		if !clientResult(c.p) {
			keep = append(keep, c)
			continue
		}
		p.movedUp(c)
		added.pieces = append(added.pieces, c)
	}
	if len(keep) < len(t.pieces) {
		t.pieces, t.changed = keep, true
		return len(keep) > 0
	}
	return true
}

// results gives a message of results as it is, with all that it has, before
// what was said too early.
func (p *porter) results(t turn, late bool) {
	for _, c := range t.pieces {
		if late {
			p.movedUp(c)
		}
	}
	p.turns = append(p.turns, t)
}

func (p *porter) movedUp(c piece) {
	p.warn(WarnChanged, c.path(), "", "", "moved up to follow its call")
}

// orphan says as text what a result told. It is marked as a tool's words, so
// that nobody takes them for the user's own.
func (p *porter) orphan(c piece) []piece {
	r := c.p.Result
	label := "Result of a tool:"
	if r.Name != "" {
		label = "Result of the tool " + r.Name + ":"
	}
	p.warn(WarnChanged, c.path(), string(PartToolResult), string(PartText), "it answers no call")
	head := TextPart(label)
	out := []piece{{in: c.in, part: c.part, p: &head}}
	for i := range r.Parts {
		out = append(out, piece{in: c.in, part: c.part, p: &r.Parts[i]})
	}
	return out
}

// unanswered is the result of a call that has none.
func (p *porter) unanswered(c piece) piece {
	call := c.p.Call
	p.warn(WarnAdded, c.path(), "", string(PartToolResult), "the call was not answered; an error was added as its result")
	return piece{in: c.in, part: c.part, p: &Part{Kind: PartToolResult, Result: &ToolResult{
		CallID: call.ID, Name: call.Name, Error: true,
		Parts: []Part{TextPart("The call was not answered.")},
	}}}
}
