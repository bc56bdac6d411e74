package scri

import (
	"slices"
	"strings"
)

// Clone returns a copy that shares no bytes with r, so that it may outlive the
// exchange. It may be called on nil.
func (r *ChatRequest) Clone() *ChatRequest {
	c := clonePtr(r)
	if c == nil {
		return nil
	}
	own(&c.Model, &c.User, &c.Session, &c.PreviousID)
	c.Suffix = r.Suffix.Clone()
	c.Messages = slices.Clone(r.Messages)
	for i := range c.Messages {
		c.Messages[i] = r.Messages[i].Clone()
	}
	c.Tools = slices.Clone(r.Tools)
	for i := range c.Tools {
		c.Tools[i] = r.Tools[i].clone()
	}
	if t := clonePtr(r.ToolChoice); t != nil {
		own(&t.Mode, &t.Name)
		t.Ext = t.Ext.Clone()
		c.ToolChoice = t
	}
	if t := clonePtr(r.Reasoning); t != nil {
		own(&t.Effort, &t.Summary)
		t.Budget, t.Ext = clonePtr(t.Budget), t.Ext.Clone()
		c.Reasoning = t
	}
	if f := clonePtr(r.Format); f != nil {
		own(&f.Kind, &f.Name)
		f.Schema, f.Strict, f.Ext = slices.Clone(f.Schema), clonePtr(f.Strict), f.Ext.Clone()
		c.Format = f
	}
	if w := clonePtr(r.Routing); w != nil {
		own(&w.Class, &w.Chain)
		w.MaxCostUSD, w.MaxLatencyMS = clonePtr(w.MaxCostUSD), clonePtr(w.MaxLatencyMS)
		c.Routing = w
	}
	c.ParallelTools, c.MaxTokens, c.TopK = clonePtr(r.ParallelTools), clonePtr(r.MaxTokens), clonePtr(r.TopK)
	c.Temperature, c.TopP = clonePtr(r.Temperature), clonePtr(r.TopP)
	c.FrequencyPenalty, c.PresencePenalty = clonePtr(r.FrequencyPenalty), clonePtr(r.PresencePenalty)
	c.LogProbs, c.Seed = clonePtr(r.LogProbs), slices.Clone(r.Seed)
	c.Stop = slices.Clone(r.Stop)
	for i := range c.Stop {
		own(&c.Stop[i])
	}
	if r.Metadata != nil {
		c.Metadata = make(map[string]string, len(r.Metadata))
		for k, v := range r.Metadata {
			c.Metadata[strings.Clone(k)] = strings.Clone(v)
		}
	}
	c.Ext = r.Ext.Clone()
	return c
}

func (t *Tool) clone() Tool {
	c := *t
	own(&c.Type, &c.Name)
	c.Description, c.Schema = t.Description.Clone(), slices.Clone(t.Schema)
	c.Strict, c.Ext = clonePtr(t.Strict), t.Ext.Clone()
	if t.Cache != nil {
		c.Cache = t.Cache.clone()
	}
	return c
}

// Size is about how many bytes of memory the part takes.
func (p *Part) Size() int {
	n := partSize + len(p.Kind) + p.Text.Size() + len(p.Raw) + p.Ext.size() + p.Cache.size()
	if s := p.Signature; s != nil {
		n += s.Value.Size() + len(s.Dialect) + len(s.Provider) + len(s.Model)
	}
	for i := range p.Citations {
		c := &p.Citations[i]
		n += 256 + c.Quote.Size() + len(c.URL) + len(c.Title) + len(c.Document) + c.Ext.size()
	}
	if m := p.Media; m != nil {
		n += partSize + m.Data.Size() + m.URL.Size() + m.Text.Size() + len(m.Type) + len(m.Name) + len(m.FileID) + m.Ext.size()
	}
	if c := p.Call; c != nil {
		n += partSize + len(c.ID) + len(c.Name) + c.Args.Size() + len(c.Type) + len(c.Server) + c.Ext.size()
	}
	if r := p.Result; r != nil {
		n += partSize + len(r.CallID) + len(r.Name) + len(r.Server) + r.Ext.size()
		for i := range r.Parts {
			n += r.Parts[i].Size()
		}
	}
	return n
}

// partSize is what a part, or what it points to, takes by itself.
const partSize = 200

func (m *CacheMark) size() int {
	if m == nil {
		return 0
	}
	return len(m.TTL) + m.Ext.size()
}

// Size is about how many bytes of memory the message takes.
func (m *Message) Size() int {
	n := partSize + len(m.Role) + len(m.ID) + len(m.Name) + m.Ext.size()
	for i := range m.Parts {
		n += m.Parts[i].Size()
	}
	return n
}

// Size is about how many bytes of memory the request takes.
func (r *ChatRequest) Size() int {
	n := 4*partSize + len(r.Model) + len(r.User) + len(r.Session) + len(r.PreviousID) + len(r.Seed) + r.Suffix.Size() + r.Ext.size()
	for i := range r.Messages {
		n += r.Messages[i].Size()
	}
	for i := range r.Tools {
		t := &r.Tools[i]
		n += partSize + len(t.Type) + len(t.Name) + t.Description.Size() + len(t.Schema) + t.Cache.size() + t.Ext.size()
	}
	if c := r.ToolChoice; c != nil {
		n += len(c.Mode) + len(c.Name) + c.Ext.size()
	}
	if t := r.Reasoning; t != nil {
		n += len(t.Effort) + len(t.Summary) + t.Ext.size()
	}
	if f := r.Format; f != nil {
		n += len(f.Kind) + len(f.Name) + len(f.Schema) + f.Ext.size()
	}
	if w := r.Routing; w != nil {
		n += len(w.Class) + len(w.Chain)
	}
	for _, s := range r.Stop {
		n += 16 + len(s)
	}
	for k, v := range r.Metadata {
		n += 64 + len(k) + len(v)
	}
	return n
}

// Size is about how many bytes of memory the answer takes.
func (r *ChatResponse) Size() int {
	n := 2*partSize + len(r.ID) + len(r.Model) + len(r.Provider) + r.Ext.size() + r.Usage.size()
	for i := range r.Choices {
		c := &r.Choices[i]
		f := &c.Finish
		n += len(f.Reason) + len(f.Raw) + len(f.Dialect) + len(f.Detail) + c.Ext.size() + logProbsSize(c.LogProbs)
		for j := range c.Output {
			n += c.Output[j].Size()
		}
	}
	return n
}

func logProbsSize(list []TokenLogProb) int {
	n := 0
	for i := range list {
		t := &list[i]
		n += 128 + t.Token.Size() + 8*len(t.Bytes) + t.Ext.size() + logProbsSize(t.Top)
	}
	return n
}
