package scri

import (
	"encoding/json"
	"strconv"
)

// MaxEmbedInputs is how many inputs one request may have. What comes back is far
// larger than what is asked: this, and not the size of a body, bounds it.
const MaxEmbedInputs = 2048

// EmbedRequest asks a model for vectors, one for each input. Nil means absent.
type EmbedRequest struct {
	Model      string       `json:"model,omitempty"` // as asked; the gateway resolves it
	Input      []EmbedInput `json:"input,omitempty"`
	Task       string       `json:"task,omitempty"`       // what the vectors are for: an open set, see TaskQuery
	Dimensions *int64       `json:"dimensions,omitempty"` // length wanted of the vectors; nil = the model's own
	Encodings  []string     `json:"encoding,omitempty"`   // what vectors are wanted as: an open set, see EncodingFloat; none = float
	Truncate   string       `json:"truncate,omitempty"`   // what becomes of inputs that are too long; "" = as the provider does
	User       string       `json:"user,omitempty"`
	Routing    *Routing     `json:"routing,omitempty"`
	Ext        *Ext         `json:"ext,omitempty"`
}

// EmbedInput is what one vector is made of: a text, tokens, or several parts of
// which some may be no texts. In JSON a lone text is a string, lone tokens are a
// list of numbers, and everything else is an object.
type EmbedInput struct {
	Text   Text    `json:"text,omitzero"`
	Tokens RawJSON `json:"tokens,omitempty"`  // a list of token numbers of the model's own tokenizer, verbatim
	Parts  []Part  `json:"content,omitempty"` // texts and media that make one vector together
	Title  Text    `json:"title,omitzero"`    // of the document that the input is
	Ext    *Ext    `json:"ext,omitempty"`
}

// Tasks. Models that know them give the vector of a question near those of its
// answers. Any other word is carried along for its own dialect.
const (
	TaskQuery          = "query"
	TaskDocument       = "document"
	TaskSimilarity     = "similarity"
	TaskClassification = "classification"
	TaskClustering     = "clustering"
	TaskQuestion       = "question"   // a question to be answered
	TaskFact           = "fact"       // a claim to be verified
	TaskCodeQuery      = "code_query" // a question about code
	TaskImage          = "image"      // the input is an image
)

// Encodings of a vector. "base64_" before one of the others means its bytes in
// base64; "base64" alone are the bytes of float32, the lowest first.
const (
	EncodingFloat   = "float"  // a list of numbers
	EncodingBase64  = "base64" // a string
	EncodingInt8    = "int8"
	EncodingUint8   = "uint8"
	EncodingBinary  = "binary"  // a bit for each dimension, packed to int8
	EncodingUbinary = "ubinary" // the same, packed to uint8
	EncodingBytes   = "bytes"   // a string in base64 that came unasked: what its bytes mean is not known
)

// What may become of inputs that are too long.
const (
	TruncateNone  = "none"  // an error
	TruncateEnd   = "end"   // the end is cut off
	TruncateStart = "start" // the beginning is cut off
)

// EmbedResponse is the vectors for the inputs of a request, in their order.
type EmbedResponse struct {
	ID         string      `json:"id,omitempty"`
	Model      string      `json:"model,omitempty"`    // the model that made them
	Provider   string      `json:"provider,omitempty"` // the provider that answered
	Embeddings []Embedding `json:"embeddings,omitempty"`
	Usage      *Usage      `json:"usage,omitempty"`
	Warnings   []Warning   `json:"warnings,omitempty"`
	Lineage    *Lineage    `json:"lineage,omitempty"`
	Ext        *Ext        `json:"ext,omitempty"`
}

// Embedding is the vector of one input, verbatim: numbers are not read unless
// they have to be written otherwise. An input has several where several
// encodings were asked for.
type Embedding struct {
	Index    int     `json:"index,omitempty"` // of the input
	Encoding string  `json:"encoding"`
	Values   RawJSON `json:"values"` // a list of numbers, or a string for encodings in base64
	Ext      *Ext    `json:"ext,omitempty"`
}

// Bare reports whether the input is nothing but one text.
func (in *EmbedInput) Bare() bool {
	return in.Tokens == nil && in.Parts == nil && in.Title.IsZero() && in.Ext == nil
}

// BareTokens reports whether the input is nothing but a list of tokens.
func (in *EmbedInput) BareTokens() bool {
	return in.Tokens != nil && in.Parts == nil && in.Text.IsZero() && in.Title.IsZero() && in.Ext == nil
}

// MarshalJSON writes a lone text as a string and lone tokens as a list.
func (in EmbedInput) MarshalJSON() ([]byte, error) {
	switch {
	case in.Bare():
		return marshal(in.Text)
	case in.BareTokens():
		return marshal(in.Tokens)
	default:
		type plain EmbedInput
		return marshal(plain(in))
	}
}

// UnmarshalJSON reads what MarshalJSON writes.
func (in *EmbedInput) UnmarshalJSON(b []byte) error {
	type plain EmbedInput
	*in = EmbedInput{}
	switch {
	case len(b) > 0 && b[0] == '"':
		return json.Unmarshal(b, &in.Text)
	case len(b) > 0 && b[0] == '[':
		return json.Unmarshal(b, &in.Tokens)
	default:
		return json.Unmarshal(b, (*plain)(in))
	}
}

// Validate reports what of the request is certainly wrong, whoever the target
// is, as an error of kind invalid with the path of the field.
func (r *EmbedRequest) Validate() error {
	switch {
	case len(r.Input) == 0:
		return invalid("/input", "there is no input", "send at least one text")
	case len(r.Input) > MaxEmbedInputs:
		return invalid("/input", "there are "+strconv.Itoa(len(r.Input))+" inputs, more than the "+strconv.Itoa(MaxEmbedInputs)+" that one request may have",
			"send several requests")
	case r.Dimensions != nil && *r.Dimensions <= 0:
		return invalid("/dimensions", "the number of dimensions is not above zero", "leave it out for the model's own")
	}
	switch r.Truncate {
	case "", TruncateNone, TruncateEnd, TruncateStart:
	default:
		return invalid("/truncate", "the word is unknown", "use none, end or start")
	}
	for i := range r.Input {
		in := &r.Input[i]
		path := "/input/" + strconv.Itoa(i)
		if in.Tokens != nil && (in.Parts != nil || !in.Text.IsZero()) {
			return invalid(path, "the input has tokens and something else", "send one of them")
		}
		for j := range in.Parts {
			if e := in.Parts[j].check(); e != nil {
				e.Path = path + "/content/" + strconv.Itoa(j) + e.Path
				return e
			}
		}
	}
	if e := checkWishes(r.Routing); e != nil {
		return e
	}
	return nil
}
