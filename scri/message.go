package scri

import "encoding/json"

// Role says who speaks in a message.
type Role string

// The roles. Any other value is carried along for its own dialect.
const (
	RoleSystem    Role = "system"
	RoleDeveloper Role = "developer"
	RoleUser      Role = "user"
	RoleAssistant Role = "assistant"
	RoleTool      Role = "tool"
)

// Message is one turn of a conversation, or a part of one.
type Message struct {
	Role  Role   `json:"role"`
	ID    string `json:"id,omitempty"`
	Name  string `json:"name,omitempty"`
	Parts []Part `json:"content,omitempty"` // in JSON also a bare string: one text part
	Ext   *Ext   `json:"ext,omitempty"`
}

// PartKind says which fields of a Part are valid.
type PartKind string

// The kinds of parts.
const (
	PartText       PartKind = "text"        // Text, Citations
	PartThinking   PartKind = "thinking"    // Text, Signature
	PartRefusal    PartKind = "refusal"     // Text
	PartMedia      PartKind = "media"       // Media
	PartToolCall   PartKind = "tool_call"   // Call, Signature
	PartToolResult PartKind = "tool_result" // Result
	PartOpaque     PartKind = "opaque"      // Raw, and Ext.Dialect says whose it is
)

// Part is one piece of a message. It is one struct with a kind; the comments of
// the kinds name the fields that each may have beside Cache and Ext.
type Part struct {
	Kind      PartKind    `json:"kind"`
	Text      Text        `json:"text,omitzero"`
	Media     *Media      `json:"media,omitempty"`
	Call      *ToolCall   `json:"call,omitempty"`
	Result    *ToolResult `json:"result,omitempty"`
	Citations []Citation  `json:"citations,omitempty"`
	Signature *Signature  `json:"signature,omitempty"`
	Cache     *CacheMark  `json:"cache,omitempty"` // a prompt-cache breakpoint stands after this part
	Raw       RawJSON     `json:"raw,omitempty"`   // the whole wire object, in its place
	Ext       *Ext        `json:"ext,omitempty"`
}

// TextPart returns a part of kind text.
func TextPart(s string) Part { return Part{Kind: PartText, Text: NewText(s)} }

// Media is an image, a sound, a video or a file: given by its bytes, its
// address or a provider's id for it.
type Media struct {
	Type   string `json:"type,omitempty"` // MIME type; "image/*" and the like when only that much is known
	Name   string `json:"name,omitempty"`
	Data   Text   `json:"data,omitzero"` // base64 as received
	URL    Text   `json:"url,omitzero"`
	FileID string `json:"file_id,omitempty"`
	Text   Text   `json:"text,omitzero"` // a document given as plain text
	Ext    *Ext   `json:"ext,omitempty"`
}

// ToolCall is a model's call of a tool.
type ToolCall struct {
	ID     string `json:"id,omitempty"`
	Name   string `json:"name,omitempty"`    // never empty: what names no tool is an opaque part
	Args   Text   `json:"args,omitzero"`     // JSON as the model wrote it: maybe invalid, maybe half
	Type   string `json:"type,omitempty"`    // "" = a function; else the wire type ("custom", "server_tool_use", ...)
	Server string `json:"server,omitempty"`  // set when the provider runs the tool itself: who ("server", the MCP server's name, ...)
	MadeID bool   `json:"made_id,omitempty"` // the dialect has no ids here, or gave an empty one: ID was made for it
	Ext    *Ext   `json:"ext,omitempty"`
}

// ToolResult is what a tool answered.
type ToolResult struct {
	CallID string `json:"call_id,omitempty"`
	Name   string `json:"name,omitempty"` // the tool, where the dialect says it
	Parts  []Part `json:"content,omitempty"`
	Error  bool   `json:"error,omitempty"`
	Server string `json:"server,omitempty"`
	Ext    *Ext   `json:"ext,omitempty"`
}

// Citation points from a span of a text to its source.
type Citation struct {
	Start    int    `json:"start,omitempty"` // runes in the part's text; Start = End = 0: the whole part
	End      int    `json:"end,omitempty"`
	Quote    Text   `json:"quote,omitzero"`
	URL      string `json:"url,omitempty"`
	Title    string `json:"title,omitempty"`
	Document string `json:"document,omitempty"`
	Ext      *Ext   `json:"ext,omitempty"`
}

// Signature proves to its issuer that a part is unchanged, or holds what the
// issuer hides. Nobody else can use it.
type Signature struct {
	Value    Text   `json:"value,omitzero"`
	Dialect  string `json:"dialect,omitempty"`
	Provider string `json:"provider,omitempty"`
	Model    string `json:"model,omitempty"`
	Redacted bool   `json:"redacted,omitempty"` // Value is the hidden content itself
}

// CacheMark is a prompt-cache breakpoint.
type CacheMark struct {
	TTL string `json:"ttl,omitempty"` // "" = the provider's default; "5m", "1h"
	Ext *Ext   `json:"ext,omitempty"`
}

// bareText reports whether the message is nothing but one text.
func (m *Message) bareText() bool {
	if len(m.Parts) != 1 {
		return false
	}
	p := &m.Parts[0]
	return p.Kind == PartText && p.Cache == nil && p.Ext == nil && p.Citations == nil && p.Signature == nil
}

type messageJSON struct {
	Role    Role   `json:"role"`
	ID      string `json:"id,omitempty"`
	Name    string `json:"name,omitempty"`
	Content any    `json:"content,omitempty"`
	Ext     *Ext   `json:"ext,omitempty"`
}

// MarshalJSON writes a lone bare text part as a string.
func (m Message) MarshalJSON() ([]byte, error) {
	out := messageJSON{Role: m.Role, ID: m.ID, Name: m.Name, Ext: m.Ext}
	switch {
	case m.bareText():
		out.Content = m.Parts[0].Text
	case len(m.Parts) > 0:
		out.Content = m.Parts
	}
	return marshal(out)
}

// UnmarshalJSON reads content as a string or as a list of parts.
func (m *Message) UnmarshalJSON(b []byte) error {
	var in struct {
		Role    Role            `json:"role"`
		ID      string          `json:"id"`
		Name    string          `json:"name"`
		Content json.RawMessage `json:"content"`
		Ext     *Ext            `json:"ext"`
	}
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	*m = Message{Role: in.Role, ID: in.ID, Name: in.Name, Ext: in.Ext}
	if len(in.Content) > 0 && in.Content[0] == '"' {
		m.Parts = []Part{{Kind: PartText, Text: QuotedText(in.Content)}}
		return nil
	}
	if len(in.Content) == 0 {
		return nil
	}
	return json.Unmarshal(in.Content, &m.Parts)
}
