package gemini

import (
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// generationConfig reads the wishes for the answer. Spellings of its members are
// noted with those of the request.
func (d *requestDecoder) generationConfig() {
	d.hasConf = true
	for as := range d.Members() {
		if d.KeepNull(&d.config) {
			continue
		}
		if d.number(as) || d.setting(as) {
			d.configs++
			name(as, &d.unknown)
			continue
		}
		d.config.Add(d.Member())
	}
}

// number reads a wish that is one number.
func (d *requestDecoder) number(as string) bool {
	r := d.req
	switch camel(as) {
	case "temperature":
		r.Temperature = new(d.Float())
	case "topP":
		r.TopP = new(d.Float())
	case "topK":
		r.TopK = new(d.Int())
	case "presencePenalty":
		r.PresencePenalty = new(d.Float())
	case "frequencyPenalty":
		r.FrequencyPenalty = new(d.Float())
	case "maxOutputTokens":
		r.MaxTokens = new(d.Int())
	case "seed":
		r.Seed = d.Number()
	case "candidateCount":
		m := d.Mark()
		if r.N = int(d.Int()); r.N == 0 && d.Err() == nil {
			d.Rewind(m)
			return false
		}
	case "logprobs":
		if d.logProbs = d.Int(); d.logProbs < 0 && d.Err() == nil {
			d.Fail("the number of alternatives is negative")
		}
	default:
		return false
	}
	return true
}

// setting reads a wish of another shape.
func (d *requestDecoder) setting(as string) bool {
	switch camel(as) {
	case "stopSequences":
		for range d.Elements() {
			d.req.Stop = append(d.req.Stop, d.Unquoted())
		}
		if n := len(d.req.Stop); n == 0 || n > maxStops {
			d.unknown.Form("stop")
		}
	case "responseLogprobs":
		if d.logs = d.Bool(); !d.logs {
			d.unknown.Form("logs")
		}
	case "responseMimeType":
		return d.format.mimeType(&d.decoder)
	case "responseSchema", "responseJsonSchema":
		return d.format.schema(&d.decoder, camel(as))
	case "thinkingConfig":
		return d.thinkingConfig()
	default:
		return false
	}
	return true
}

// maxStops is how many stop sequences the API takes.
const maxStops = 5

// finishConfig puts together what stood in several members.
func (d *requestDecoder) finishConfig() {
	switch {
	case d.logs && d.logProbs > 0:
		d.req.LogProbs = new(int(d.logProbs))
	case d.logs:
		d.req.LogProbs = new(0)
		if d.logProbs == 0 {
			d.unknown.Form("logprobs")
		}
	case d.logProbs >= 0:
		d.config.Add(append([]byte(`"logprobs":`), itoa(d.logProbs)...))
	}
	d.req.Format = d.format.finish(&d.config)
}

// formatDecoder gathers what stands of the answer's shape in several members.
type formatDecoder struct {
	mime    string
	member  []byte // responseMimeType as it stood
	said    bool
	value   scri.RawJSON
	kind    string // which of the two schemas
	schemas []byte // as it stood
}

func (f *formatDecoder) mimeType(d *decoder) bool {
	m := d.Mark()
	if f.mime = d.Unquoted(); d.Err() != nil {
		return true // which is told as what is wrong
	}
	d.Rewind(m)
	f.member, f.said = d.Member(), true
	return true
}

// schema takes the first schema; a second one has no field.
func (f *formatDecoder) schema(d *decoder, kind string) bool {
	if f.value != nil || d.Kind() != wire.Object {
		return false
	}
	m := d.Mark()
	f.value = d.Raw()
	d.Rewind(m)
	f.kind, f.schemas = kind, d.Member()
	return true
}

func (f *formatDecoder) finish(rest *dialect.Unknown) *scri.Format {
	var u dialect.Unknown
	var out scri.Format
	switch {
	case !f.said && f.value == nil:
		return nil
	case f.value != nil && (!f.said || f.mime == mimeJSON):
		out.Kind = scri.FormatJSONSchema
		out.Schema = f.value
		if f.kind == "responseSchema" {
			u.Form("responseSchema")
			out.Schema = lowered(f.value, &u)
		}
		if !f.said {
			u.Form("-mime")
		}
	case f.value == nil && f.mime == mimeJSON:
		out.Kind = scri.FormatJSON
	case f.value == nil && f.mime == mimeText:
		out.Kind = scri.FormatText
	default: // other shapes are Google's alone
		for _, m := range [][]byte{f.member, f.schemas} {
			if m != nil {
				rest.Add(m)
			}
		}
		return nil
	}
	out.Ext = u.Ext(Name)
	return &out
}

const (
	mimeJSON = "application/json"
	mimeText = "text/plain"
)

// Words of Reasoning.Effort that are no level here.
const (
	effortOn   = "on"
	effortNone = "none"
)

// thinkingConfig reads how much the model may think, in the words of either
// generation. The form "own" says that it was asked in this dialect.
func (d *requestDecoder) thinkingConfig() bool {
	if d.Kind() != wire.Object {
		return false
	}
	r := new(scri.Reasoning)
	var u dialect.Unknown
	u.Form("own")
	var budget []byte
	for as := range d.Members() {
		if d.KeepNull(&u) {
			continue
		}
		switch camel(as) {
		case "includeThoughts":
			name(as, &u)
			r.Summary = "none"
			if d.Bool() {
				r.Summary = "auto"
			}
		case "thinkingBudget":
			name(as, &u)
			m := d.Mark()
			n := d.Int()
			if d.Err() == nil {
				d.Rewind(m)
				budget = d.Member()
			}
			r.Budget = &n
		case "thinkingLevel":
			d.level(r, as, &u)
		default:
			u.Add(d.Member())
		}
	}
	if n := r.Budget; n != nil && *n <= 0 {
		switch {
		case r.Effort != "":
			u.Add(budget) // which of the two counts only Google knows
		case *n == 0:
			r.Effort = effortNone
			u.Form("off")
		case *n == -1:
			r.Effort = effortOn
			u.Form("dynamic")
		default:
			d.Fail("a budget is -1 or more")
		}
		r.Budget = nil
	}
	r.Ext = u.Ext(Name)
	d.req.Reasoning = r
	return true
}

// level reads a level of thinking.
func (d *requestDecoder) level(r *scri.Reasoning, as string, u *dialect.Unknown) {
	m := d.Mark()
	word := d.Unquoted()
	low := strings.ToLower(word)
	if !plainWord(word) || low == effortOn || low == effortNone || strings.HasSuffix(low, "_unspecified") {
		if d.Err() == nil {
			d.Rewind(m)
			u.Add(d.Member())
		}
		return
	}
	name(as, u)
	if word != strings.ToUpper(word) {
		u.Form("level=" + word)
	}
	r.Effort = low
}

// toolConfig reads whether and which tools must be called.
func (d *requestDecoder) toolConfig() {
	d.hasOpt = true
	for as := range d.Members() {
		if camel(as) == "functionCallingConfig" && d.try(d.choice) {
			d.choices++
			name(as, &d.unknown)
			continue
		}
		d.options.Add(d.Member())
	}
}

func (d *requestDecoder) choice() bool {
	c := new(scri.ToolChoice)
	var u dialect.Unknown
	var allowed []string
	var list []byte
	for as := range d.Members() {
		if d.KeepNull(&u) {
			continue
		}
		switch camel(as) {
		case "mode":
			if !mode(d.Unquoted(), c, &u) {
				return false
			}
		case "allowedFunctionNames":
			name(as, &u)
			m := d.Mark()
			for range d.Elements() {
				allowed = append(allowed, d.Unquoted())
			}
			if d.Err() != nil {
				return false
			}
			d.Rewind(m)
			list = d.Member()
		default:
			u.Add(d.Member())
		}
	}
	switch {
	case c.Mode == "":
		return false
	case c.Mode == scri.ToolsRequired && len(allowed) == 1 && allowed[0] != "":
		c.Mode, c.Name = scri.ToolsNamed, allowed[0]
	case list != nil:
		u.Add(list)
	}
	c.Ext = u.Ext(Name)
	d.req.ToolChoice = c
	return true
}

// mode reads the mode of a choice; what VALIDATED says beyond AUTO is a member.
func mode(word string, c *scri.ToolChoice, u *dialect.Unknown) bool {
	switch strings.ToUpper(word) {
	case "AUTO":
		c.Mode = scri.ToolsAuto
	case "ANY":
		c.Mode = scri.ToolsRequired
	case "NONE":
		c.Mode = scri.ToolsNone
	case "VALIDATED":
		c.Mode = scri.ToolsAuto
		u.Add([]byte(`"mode":"` + word + `"`))
		return true
	default:
		return false
	}
	if word != strings.ToUpper(word) {
		u.Form("mode=" + word)
	}
	return true
}
