package dialect

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/aratta-gateway/aratta/scri"
)

// Embedder is the optional part of a dialect that makes vectors of texts. Both
// halves stand in it. What the rules for dialects say of chats holds here too,
// and beyond:
//
//   - Numbers are not read: values are written as they came, unless the client
//     wants another encoding than the provider gave (see [WriteVector]).
//   - A request whose answer could not be what was asked is refused: an input
//     that would have to be left out would shift all others, and an encoding that
//     cannot be had cannot be made of another.
type Embedder interface {
	// DecodeEmbedRequest reads a request, as DecodeRequest does.
	DecodeEmbedRequest(in *Incoming) (*scri.EmbedRequest, error)
	// EncodeEmbedResponse appends the answer to the request in in.Embed. It fails
	// where the vectors cannot be had as the client wants them.
	EncodeEmbedResponse(b []byte, in *Incoming, resp *scri.EmbedResponse) ([]byte, []scri.Warning, error)
	// EncodeEmbedRequest writes a request for the target.
	EncodeEmbedRequest(req *scri.EmbedRequest, t *Target) (*Outgoing, []scri.Warning, error)
	// DecodeEmbedResponse reads the answer to req, of status 2xx. The vectors are in
	// the order of the wire, each with the index of its input.
	DecodeEmbedResponse(a *Answer, req *scri.EmbedRequest) (*scri.EmbedResponse, error)
}

// embed answers an embed request.
func (a *reply) embed(ctx context.Context) {
	d, ok := a.d.(Embedder)
	if !ok || a.opt.Embed == nil {
		a.fail(&scri.Error{Kind: scri.ErrUnsupported, Message: "nothing is embedded here"})
		return
	}
	resp, err := a.opt.Embed(ctx, a.x)
	if err != nil {
		a.fail(scri.AsError(err))
		return
	}
	body, warn, err := d.EncodeEmbedResponse(nil, &a.in, resp)
	if err != nil {
		a.fail(scri.AsError(err))
		return
	}
	a.x.Warnings = append(a.x.Warnings, warn...)
	a.write(http.StatusOK, body, &scri.ChatResponse{Model: resp.Model, Provider: resp.Provider})
	a.done(http.StatusOK, nil)
}

// OnlyText is the error about an input that a format without such inputs cannot
// carry.
func OnlyText(path string) *scri.Error {
	return &scri.Error{
		Kind: scri.ErrUnsupported, Path: path, Message: "only texts can be embedded there", Hint: "send a text, or ask for a model that takes such inputs",
	}
}

// NoTokens is the error about tokens for a format that takes texts alone: only the
// model's own tokenizer could tell what they mean.
func NoTokens(path string) *scri.Error {
	return &scri.Error{
		Kind: scri.ErrUnsupported, Path: path, Message: "only texts can be embedded there, not tokens", Hint: "send the text that the tokens were made of",
	}
}

// NoEncoding is the error about an encoding of vectors that cannot be had.
func NoEncoding(word string) *scri.Error {
	return &scri.Error{
		Kind: scri.ErrUnsupported, Path: "/encoding", Message: "vectors cannot be had there as " + word, Hint: "ask for float or base64",
	}
}

// PlainInput is the text of an input for formats that take nothing but texts, own
// being the dialect. Several texts are joined by line ends. What is lost thereby is
// told; what is no text is an error.
func PlainInput(in *scri.EmbedInput, own, path string, warn *[]scri.Warning) (scri.Text, error) {
	if in.Tokens != nil {
		return scri.Text{}, NoTokens(path)
	}
	if !in.Title.IsZero() {
		*warn = append(*warn, scri.Warning{Code: scri.WarnDropped, Path: path + "/title", Detail: "inputs have no titles there"})
	}
	Foreign(warn, in.Ext, own, func() string { return path })
	if in.Parts == nil {
		return in.Text, nil
	}
	var b strings.Builder
	for i := range in.Parts {
		p := &in.Parts[i]
		if p.Kind != scri.PartText {
			return scri.Text{}, OnlyText(path)
		}
		Foreign(warn, p.Ext, own, func() string { return path + "/content/" + strconv.Itoa(i) })
		if len(in.Parts) == 1 {
			return p.Text, nil
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(p.Text.String())
	}
	*warn = append(*warn, scri.Warning{Code: scri.WarnChanged, Path: path + "/content", Detail: "its texts are joined"})
	return scri.NewText(b.String()), nil
}
