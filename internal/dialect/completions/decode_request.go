package completions

import (
	"strconv"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// DecodeRequest reads a request to go on with a text, or with several.
func (completions) DecodeRequest(in *dialect.Incoming) (*scri.ChatRequest, error) {
	d := &reader{Scanner: wire.NewScanner(in.Body), r: new(scri.ChatRequest)}
	for name := range d.Members() {
		if d.Kind() == wire.Null {
			d.u.Add(d.Member())
			continue
		}
		d.member(name)
		if d.refused != nil {
			return nil, d.refused
		}
	}
	if err := d.End(); err != nil {
		return nil, dialect.Invalid(err)
	}
	if len(d.prompts) == 0 {
		e := dialect.Missing("/prompt")
		e.Hint = "send the text to go on with"
		return nil, e
	}
	if d.r.MaxTokens == nil {
		d.r.MaxTokens = new(int64(DefaultMaxTokens))
		d.u.Form("-max_tokens")
	}
	d.r.Ext = d.u.Ext(Name)
	d.r.Messages = d.prompts[:1:1]
	for i := 1; i < len(d.prompts); i++ {
		more := *d.r
		more.Messages = d.prompts[i : i+1 : i+1]
		in.More = append(in.More, &more)
	}
	return d.r, nil
}

// reader reads one request.
type reader struct {
	*wire.Scanner
	r       *scri.ChatRequest
	u       dialect.Unknown
	prompts []scri.Message // one each
	refused *scri.Error
}

// member reads a member that is there.
func (d *reader) member(name string) {
	r := d.r
	switch name {
	case "model":
		r.Model = d.said(name)
	case "prompt":
		d.prompt()
	case "suffix":
		if r.Suffix = scri.QuotedText(d.Str()); r.Suffix.IsZero() {
			d.u.Form("suffix=")
		}
	case "user":
		r.User = d.said(name)
	case "max_tokens":
		r.MaxTokens = new(d.Int())
	case "top_k":
		r.TopK = new(d.Int())
	case "temperature":
		r.Temperature = new(d.Float())
	case "top_p":
		r.TopP = new(d.Float())
	case "frequency_penalty":
		r.FrequencyPenalty = new(d.Float())
	case "presence_penalty":
		r.PresencePenalty = new(d.Float())
	case "seed":
		r.Seed = d.Number()
	case "n":
		d.answers()
	case "logprobs":
		d.alternatives()
	case "stop":
		d.r.Stop = dialect.OpenAIStop(d.Scanner, &d.u)
	case "stream":
		if r.Stream = d.Bool(); !r.Stream {
			d.u.Form("stream=false")
		}
	case "echo":
		if d.Bool() {
			d.u.Form("echo")
		} else {
			d.u.Form("echo=false")
		}
	case "stream_options":
		dialect.OpenAIStreamOptions(d.Scanner, &d.u)
	default:
		d.u.Add(d.Member())
	}
}

// said reads a string that may be empty, which is remembered.
func (d *reader) said(name string) string {
	s := d.Unquoted()
	if s == "" {
		d.u.Form(name + "=")
	}
	return s
}

func (d *reader) answers() {
	m := d.Mark()
	if n := d.Int(); d.Err() == nil && (n < 1 || n > 1<<20) {
		d.Rewind(m)
		d.Fail("n must be a number of answers of at least 1")
	} else {
		d.r.N = int(n)
	}
}

func (d *reader) alternatives() {
	m := d.Mark()
	if n := d.Int(); d.Err() == nil && (n < 0 || n > 1<<20) {
		d.Rewind(m)
		d.Fail("logprobs must be a number of alternatives of at least 0")
	} else {
		d.r.LogProbs = new(int(n))
	}
}

// prompt reads a text, or a list of texts.
func (d *reader) prompt() {
	if d.Kind() == wire.String {
		d.add()
		return
	}
	for i := range d.Elements() {
		switch k := d.Kind(); {
		case k == wire.Number || k == wire.Array:
			d.refuse("", "a prompt of token numbers means something to one tokenizer only", "send the text itself")
			return
		case i >= maxPrompts:
			d.refuse("", "there are more than "+strconv.Itoa(maxPrompts)+" prompts", "send several requests")
			return
		}
		d.add()
	}
	switch len(d.prompts) {
	case 0:
		if d.Err() == nil {
			d.refuse("", "there is no prompt in the list", "send the text to go on with")
		}
	case 1:
		d.u.Form("prompt[]")
	}
}

func (d *reader) add() {
	text := scri.QuotedText(d.Str())
	d.prompts = append(d.prompts, scri.Message{Role: scri.RoleUser, Parts: []scri.Part{{Kind: scri.PartText, Text: text}}})
}

func (d *reader) refuse(at, message, hint string) {
	d.refused = &scri.Error{Kind: scri.ErrInvalid, Status: 400, Path: "/prompt" + at, Message: message, Hint: hint}
}
