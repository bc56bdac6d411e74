package overlay

import (
	"strings"

	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// history is the list of turns of a request, whatever the format calls it.
func (j *job) history() *node {
	for _, name := range []string{"messages", "input", "contents"} {
		if n := j.t.get(j.t.root, name); n != nil && n.kind == wire.Array {
			return n
		}
	}
	return nil
}

// buildAppendMessage: append_message message [position] [after_role].
func buildAppendMessage(b *builder) {
	v := b.need("message")
	if b.err == nil && v.kind != wire.Object {
		b.failAt(v, "message: want the message as the format has it")
	}
	message := v.json()
	first := b.oneOf("position", "last", "first") == "first"
	role := b.text("after_role") // only where the last message has this role
	b.step.body = func(j *job) {
		h := j.history()
		if h == nil {
			return
		}
		turns := j.t.elements(h)
		if role != "" && (len(turns) == 0 || turnRole(j.t, turns[len(turns)-1]) != role) {
			return
		}
		at := len(turns)
		if first {
			at = 0
		}
		j.warn(scri.WarnAdded, j.t.insert(h, at, message), nil, nil)
		j.did = true
	}
}

func turnRole(t *tree, n *node) string { return t.get(n, "role").text() }

// buildReorder: reorder path rule.
func buildReorder(b *builder) {
	p := b.node("path")
	rule := b.word("rule")
	switch rule {
	case "calls-together", "function_call items contiguous, outputs directly after":
		b.step.body = func(j *job) { j.reorder(p, callsTogether) }
	case "system-first":
		b.step.body = func(j *job) { j.reorder(p, systemFirst) }
	default:
		if b.err == nil {
			b.failAt(b.v.get("rule"), "rule: %q is none of calls-together, system-first%s", rule, suggest(rule, []string{"calls-together", "system-first"}))
		}
	}
}

func (j *job) reorder(p *path, rule func(*tree, []*node) []*node) {
	for _, n := range j.t.all(p) {
		old := j.t.elements(n)
		if len(old) < 2 {
			continue
		}
		list := rule(j.t, old)
		for i := range list {
			if list[i] == old[i] {
				continue
			}
			j.warn(scri.WarnChanged, n, nil, nil)
			j.t.touch(n)
			n.items, j.did = list, true
			break
		}
	}
}

func systemFirst(t *tree, items []*node) []*node {
	var system, rest []*node
	for _, n := range items {
		if r := turnRole(t, n); r == "system" || r == "developer" {
			system = append(system, n)
		} else {
			rest = append(rest, n)
		}
	}
	return append(system, rest...)
}

// callsTogether puts calls that are answered together next to each other, their
// results behind them, and what stood between before them.
func callsTogether(t *tree, items []*node) []*node {
	var out, others, calls, results []*node
	open := map[string]bool{} // calls not answered yet
	flush := func() {
		out = append(append(append(out, others...), calls...), results...)
		others, calls, results = nil, nil, nil
		clear(open)
	}
	for _, n := range items {
		kind, id := t.get(n, "type").text(), t.get(n, "call_id").text()
		switch {
		case strings.HasSuffix(kind, "_call_output"):
			results = append(results, n)
			delete(open, id)
		case strings.HasSuffix(kind, "_call") && id != "":
			if len(results) > 0 && len(open) == 0 {
				flush()
			}
			calls = append(calls, n)
			open[id] = true
		case len(open) == 0:
			flush()
			out = append(out, n)
		default:
			others = append(others, n)
		}
	}
	flush()
	return out
}

// buildInjectSchemaPrompt: inject_schema_prompt [from] [text]. The schema is
// looked for in the request as the overlay found it.
func buildInjectSchemaPrompt(b *builder) {
	var from []*path
	if b.opt("from") != nil {
		from = b.paths("from")
	} else {
		for _, s := range []string{
			"response_format.json_schema.schema", "response_format.schema", "text.format.schema", "output_config.format.schema",
			"output_format.schema", "generationConfig.responseSchema", "generationConfig.responseJsonSchema", "format",
		} {
			from = append(from, mustPath(s))
		}
	}
	text := "Answer with JSON that matches this schema: $schema"
	if b.opt("text") != nil {
		text = b.word("text")
	}
	b.step.body = func(j *job) {
		var before tree
		before.load(j.t.doc)
		for _, p := range from {
			if n := before.one(p); n != nil && n.kind == wire.Object {
				j.prompt(strings.ReplaceAll(text, "$schema", string(wire.Compact(n.json()))))
				return
			}
		}
	}
}

// prompt adds a sentence to the instructions of a request, in the place that its
// format has for them.
func (j *job) prompt(text string) {
	t, root := j.t, j.t.root
	switch {
	case t.get(root, "system") != nil || j.run.plan.target.Dialect == "anthropic":
		j.addText(root, "system", text, `{"type":"text","text":$}`)
	case t.get(root, "contents") != nil:
		si := t.get(root, "systemInstruction")
		if si == nil {
			si = t.put(root, "systemInstruction", []byte(`{"parts":[]}`))
		}
		if t.get(si, "parts") == nil {
			t.put(si, "parts", []byte("[]"))
		}
		j.addText(si, "parts", text, `{"text":$}`)
	case t.get(root, "input") != nil:
		j.addText(root, "instructions", text, `{"type":"input_text","text":$}`)
	default:
		h := j.history()
		if h == nil {
			return
		}
		turns := t.elements(h)
		if len(turns) > 0 && turnRole(t, turns[0]) == "system" {
			j.addText(turns[0], "content", text, `{"type":"text","text":$}`)
			break
		}
		t.insert(h, 0, append(append([]byte(`{"role":"system","content":`), quote(text)...), '}'))
	}
	j.tell(scri.WarnEmulated, "/format", nil, nil)
	j.did = true
}

// addText appends to a text or a list of parts that an object has under a name.
func (j *job) addText(n *node, name, text, part string) {
	switch old := j.t.get(n, name); {
	case old == nil || old.kind == wire.Null:
		j.t.put(n, name, quote(text))
	case old.kind == wire.Array:
		j.t.insert(old, len(j.t.elements(old)), []byte(strings.Replace(part, "$", string(quote(text)), 1)))
	case old.kind == wire.String && old.text() == "":
		j.t.replace(old, quote(text))
	case old.kind == wire.String:
		j.t.replace(old, quote(old.text()+"\n\n"+text))
	}
}

// pairShape is how a format spells calls and their results.
type pairShape struct {
	calls   *path // below a turn
	id      *path // below a call
	results *path // below a turn, or (nil) the turn itself is one
	answers *path // below a result: the id that it answers
	// A result for a call: $id, $name and $fill are replaced. In a list of its own
	// turns, or (results) as an element of the turn that follows.
	result string
	turn   string // around new results where no turn follows, $results
	object bool   // a result is an object, else a text
}

// pairShapes are the formats by the name of their history and what calls stand
// under.
func pairShapes() map[string]pairShape {
	p := mustPath
	return map[string]pairShape{
		"gemini": {
			p("parts[*].functionCall"), p("name"), p("parts[*].functionResponse"), p("name"),
			`{"functionResponse":{"name":$name,"response":$fill}}`, `{"role":"user","parts":[$results]}`, true,
		},
		"anthropic": {
			p("content[?type=='tool_use']"), p("id"), p("content[?type=='tool_result']"), p("tool_use_id"),
			`{"type":"tool_result","tool_use_id":$id,"is_error":true,"content":$fill}`, `{"role":"user","content":[$results]}`, false,
		},
		"bedrock": {
			p("content[*].toolUse"), p("toolUseId"), p("content[*].toolResult"), p("toolUseId"),
			`{"toolResult":{"toolUseId":$id,"status":"error","content":[{"text":$fill}]}}`, `{"role":"user","content":[$results]}`, false,
		},
		"openai": {p("tool_calls[*]"), p("id"), nil, p("tool_call_id"), `{"role":"tool","tool_call_id":$id,"content":$fill}`, "", false},
		"responses": {
			p("$"), p("call_id"), nil, p("call_id"), `{"type":"function_call_output","call_id":$id,"output":$fill}`, "", false,
		},
	}
}

// buildPairToolResults: pair_tool_results [fill].
func buildPairToolResults(b *builder) {
	fill := []byte(`{"error":"no result recorded"}`)
	if b.opt("fill") != nil {
		fill = b.json("fill")
	}
	shapes := pairShapes()
	b.step.body = func(j *job) {
		h := j.history()
		shape, ok := shapes[j.run.plan.target.Dialect]
		if h == nil || !ok {
			return
		}
		for i := 0; i < len(j.t.elements(h)); i++ {
			i += j.pairTurn(h, i, &shape, fill)
		}
	}
}

// pairTurn gives the calls of turn i the results that they lack. It returns how
// many turns it put behind it.
func (j *job) pairTurn(h *node, i int, s *pairShape, fill []byte) int {
	turns := j.t.elements(h)
	calls := j.t.find(nil, turns[i], s.calls.segs)
	if s.calls.text == "$" && j.t.get(turns[i], "type").text() != "function_call" {
		return 0
	}
	if len(calls) == 0 {
		return 0
	}
	answered, behind := j.answered(turns, i, s)
	var missing []string
	for _, c := range calls {
		ids := j.t.find(nil, c, s.id.segs)
		if len(ids) == 0 {
			continue
		}
		if id := ids[0].text(); answered[id] > 0 {
			answered[id]--
		} else {
			missing = append(missing, s.make(ids[0].json(), fill))
		}
	}
	if len(missing) == 0 {
		return 0
	}
	j.did = true
	switch {
	case s.results == nil:
		for k, m := range missing {
			j.warn(scri.WarnAdded, j.t.insert(h, behind+k, []byte(m)), nil, nil)
		}
		return len(missing)
	case i+1 < len(turns) && len(answered) > 0:
		// the results that are there tell which list they stand in
		list := j.t.find(nil, turns[i+1], s.results.segs[:1])
		if len(list) == 1 && list[0].kind == wire.Array {
			at := len(j.t.find(nil, turns[i+1], s.results.segs)) // behind the results, before what else is said
			for k, m := range missing {
				j.warn(scri.WarnAdded, j.t.insert(list[0], at+k, []byte(m)), nil, nil)
			}
		}
		return 0
	default:
		raw := strings.Replace(s.turn, "$results", strings.Join(missing, ","), 1)
		j.warn(scri.WarnAdded, j.t.insert(h, i+1, []byte(raw)), nil, nil)
		return 1
	}
}

// answered counts the results that follow turn i, and returns where they end.
func (j *job) answered(turns []*node, i int, s *pairShape) (map[string]int, int) {
	have, k := map[string]int{}, i+1
	if s.results != nil {
		if k < len(turns) {
			for _, r := range j.t.find(nil, turns[k], s.results.segs) {
				for _, id := range j.t.find(nil, r, s.answers.segs) {
					have[id.text()]++
				}
			}
		}
		return have, k
	}
	for ; k < len(turns); k++ {
		kind, role := j.t.get(turns[k], "type").text(), turnRole(j.t, turns[k])
		if kind == "function_call" {
			continue
		}
		if role != "tool" && kind != "function_call_output" {
			break
		}
		for _, id := range j.t.find(nil, turns[k], s.answers.segs) {
			have[id.text()]++
		}
	}
	return have, k
}

// make writes a result for a call.
func (s *pairShape) make(id, fill []byte) string {
	value := string(fill)
	if !s.object && kindOf(fill) != wire.String {
		value = string(quote(value))
	}
	return strings.NewReplacer("$id", string(id), "$name", string(id), "$fill", value).Replace(s.result)
}

// buildForceStream: force_stream_aggregate [path]. The request streams upstream;
// the gateway collects where its client does not.
func buildForceStream(b *builder) {
	p := mustPath("stream")
	if b.opt("path") != nil {
		p = b.place("path")
	}
	b.opt("value")
	b.step.body = func(j *job) {
		for _, pl := range j.t.places(j.t.root, p.segs, p.add, true) {
			if pl.node == nil || !pl.node.is([]byte("true")) {
				j.t.fill(pl, []byte("true"))
				j.did, j.run.stream = true, true
			}
		}
	}
}

// buildDialect: dialect to [from]. The request is encoded anew.
func buildDialect(b *builder) {
	from, to := b.dialectWord("from"), b.dialectWord("to")
	if b.err == nil && to == "" {
		b.failAt(b.v, "to is missing")
	}
	b.step.personal = "a dialect"
	b.step.body = func(j *job) {
		if from == "" || from == j.run.plan.target.Dialect {
			j.run.dialect, j.did = to, true
		}
	}
}
