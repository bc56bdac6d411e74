package anthropic

import (
	"strconv"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// reasoning decides how thinking is asked for and writes the field for it; the
// effort goes into output_config later.
func (e *requestEncoder) reasoning() {
	r := e.req.Reasoning
	if r == nil {
		return
	}
	in := e.in("reasoning")
	defer e.out(in)
	switch {
	case hasForm(r.Ext, "effort"):
		e.effort = r.Effort
	case r.Effort == "none":
		e.thinking = "disabled"
		if r.Budget != nil {
			e.drop("budget", "thinking is off")
		}
	case hasForm(r.Ext, "enabled"), hasForm(r.Ext, "adaptive"):
		e.ownReasoning(r)
	case r.Effort == "" && r.Budget == nil:
		// only wishes about what is shown: nothing asks for thinking
	case e.t.Reasoning == "effort":
		e.adaptive(r)
	default:
		if !e.emulated(r) {
			return
		}
	}
	e.writeThinking(r)
}

// ownReasoning writes what this dialect said as it said it.
func (e *requestEncoder) ownReasoning(r *scri.Reasoning) {
	e.thinking = "enabled"
	if hasForm(r.Ext, "adaptive") {
		e.thinking = "adaptive"
	}
	if r.Budget != nil {
		if e.thinking == "adaptive" {
			e.drop("budget", "the model decides itself")
		} else {
			e.budget = *r.Budget
		}
	}
	if r.Effort != "on" {
		e.effort = r.Effort
	}
}

// adaptive asks a model that knows efforts for one.
func (e *requestEncoder) adaptive(r *scri.Reasoning) {
	e.thinking, e.effort = "adaptive", r.Effort
	switch r.Effort {
	case "on":
		e.effort = ""
	case "minimal":
		e.effort = "low"
		e.lose(scri.WarnChanged, "effort", r.Effort, e.effort, "the least effort that is known here")
	}
	if r.Budget != nil {
		e.drop("budget", "the model decides itself")
		if r.Effort == "" {
			e.lose(scri.WarnAdded, "effort", "", "on", "")
		}
	}
}

// emulated asks for a budget of thinking that stands for an effort, and reports
// whether it could.
func (e *requestEncoder) emulated(r *scri.Reasoning) bool {
	if why := dialect.NoThinking(e.req, Name); why != "" {
		e.drop("", why)
		return false
	}
	want := dialect.BudgetOf(r.Effort)
	if r.Budget != nil {
		want = *r.Budget
	}
	e.budget = max(dialect.LeastBudget, want)
	if e.budget >= e.max && e.max > 0 {
		e.budget = max(dialect.LeastBudget, e.max/2)
	}
	if e.max > 0 && e.budget >= e.max {
		e.drop("", "the limit of the answer leaves no room to think")
		e.budget = 0
		return false
	}
	e.thinking, e.forced = "enabled", true
	switch {
	case r.Budget == nil:
		e.lose(scri.WarnEmulated, "effort", r.Effort, itoa(e.budget), "an effort is a budget of tokens here")
		e.lose(scri.WarnAdded, "budget", "", itoa(e.budget), "it stands for the effort")
		return true
	case r.Effort != "":
		e.drop("effort", "the budget says it")
	}
	if e.budget != *r.Budget {
		e.lose(scri.WarnChanged, "budget", itoa(*r.Budget), itoa(e.budget), "to fit the limits of the API")
	}
	return true
}

// writeThinking writes the field thinking, and what is to be shown of it.
func (e *requestEncoder) writeThinking(r *scri.Reasoning) {
	if e.thinking == "" {
		if r.Summary != "" {
			e.drop("summary", "nothing is thought")
		}
		e.foreign(r.Ext)
		if r.Summary == "" && r.Effort == "" {
			e.drop("", "it asks for nothing")
		}
		return
	}
	e.w.Key("thinking")
	e.open(e.thinking)
	if e.budget > 0 || r.Budget != nil && e.thinking == "enabled" {
		e.w.Key("budget_tokens")
		e.w.Int(e.budget)
	}
	if r.Summary != "" {
		e.display(r.Summary)
	}
	e.ext(r.Ext)
	e.w.EndObject()
}

func (e *requestEncoder) display(summary string) {
	if e.thinking == "disabled" {
		e.drop("summary", "nothing is thought")
		return
	}
	switch summary {
	case "none":
		e.str("display", "omitted")
	case "auto":
		e.str("display", "summarized")
	default:
		e.lose(scri.WarnChanged, "summary", summary, "auto", "thoughts are shown or they are not")
		e.str("display", "summarized")
	}
}

// outputConfig writes the effort and the shape of the answer.
func (e *requestEncoder) outputConfig() {
	f := e.req.Format
	if f != nil && f.Kind != scri.FormatJSONSchema {
		e.lose(scri.WarnDropped, "format", f.Kind, "", "only a JSON schema can be asked for")
		f = nil
	}
	older := f != nil && hasForm(f.Ext, "output_format")
	if older {
		e.w.Key("output_format")
		e.format(f)
		f = nil
	}
	if e.effort == "" && f == nil {
		return
	}
	e.w.Key("output_config")
	e.w.BeginObject()
	e.str("effort", e.effort)
	if f != nil {
		e.w.Key("format")
		e.format(f)
	}
	e.w.Members(e.takeMember("output_config"))
	e.w.EndObject()
}

func (e *requestEncoder) format(f *scri.Format) {
	in := e.in("format")
	e.open(scri.FormatJSONSchema)
	if len(f.Schema) > 0 {
		e.w.Key("schema")
		e.w.Raw(f.Schema)
	}
	if f.Name != "" {
		e.drop("name", "a schema has no name here")
	}
	if f.Strict != nil {
		e.drop("strict", "every schema is kept to strictly here")
	}
	e.ext(f.Ext)
	e.out(in)
	e.w.EndObject()
}
