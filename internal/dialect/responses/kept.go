package responses

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// What can be asked of a kept answer.
const (
	keptAnswer = "answer"
	keptDelete = "delete"
	keptInput  = "input_items"
	keptCancel = "cancel"

	paramID = "response_id"
)

// keptRoutes are the paths of kept answers.
func keptRoutes() []dialect.Route {
	const one = pathResponses + "/{" + paramID + "}"
	return []dialect.Route{
		{Method: http.MethodGet, Pattern: one, Op: scri.OpKept, Variant: keptAnswer},
		{Method: http.MethodDelete, Pattern: one, Op: scri.OpKept, Variant: keptDelete},
		{Method: http.MethodGet, Pattern: one + "/input_items", Op: scri.OpKept, Variant: keptInput},
		{Method: http.MethodPost, Pattern: one + "/cancel", Op: scri.OpKept, Variant: keptCancel},
	}
}

// Keep reads what the request says about its answer: unless it says that nothing
// is to be stored, it is kept under an id made of that of the exchange.
func (responses) Keep(in *dialect.Incoming, id string) (*scri.Keeping, error) {
	r := in.Req
	if string(member(r.Ext, "background")) == "true" {
		return nil, &scri.Error{
			Kind: scri.ErrUnsupported, Path: "/background", Message: "background responses are not supported by this gateway",
			Hint: "leave background out and wait for the answer, or ask for a stream",
		}
	}
	k := &scri.Keeping{
		ID:    strings.TrimSuffix(idPrefix, "_") + minted + strings.TrimPrefix(id, "req_"),
		Store: string(member(r.Ext, "store")) != "false",
	}
	if len(r.Messages) > 0 && has(r.Messages[0].Ext, "instructions") {
		k.Aside = 1
	}
	return k, nil
}

// EncodeKept writes a kept answer, what it was given to, or that it is deleted.
func (responses) EncodeKept(in *dialect.Incoming, k *dialect.Kept) ([]byte, error) {
	id := in.Param(paramID)
	if k == nil {
		return nil, &scri.Error{
			Kind: scri.ErrNotFound, Code: dialect.CodeNoResponse, Path: "/" + paramID, Message: "Response with id '" + id + "' not found.",
		}
	}
	switch in.Route.Variant {
	case keptDelete:
		w := wire.Writer{}
		w.BeginObject()
		w.Key("id")
		w.Str(id)
		w.Key("object")
		w.Str("response")
		w.Key("deleted")
		w.Bool(true)
		w.EndObject()
		return w.B, nil
	case keptCancel:
		return nil, &scri.Error{
			Kind: scri.ErrInvalid, Path: "/" + paramID, Message: "Cannot cancel a synchronous response.",
		}
	case keptInput:
		return inputItems(in.Query, k)
	default:
		if in.Query.Get("stream") == "true" {
			return nil, &scri.Error{
				Kind: scri.ErrUnsupported, Path: "/stream", Message: "only background responses can be read again as a stream", Hint: "leave stream out",
			}
		}
		b, _ := (responses{}).EncodeResponse(nil, &dialect.Incoming{Req: k.Request}, k.Response)
		return b, nil
	}
}

// page is the part of a list that a client asks for.
type page struct {
	limit int
	asc   bool
	after string
}

func pageOf(q url.Values) (page, error) {
	p := page{limit: 20, after: q.Get("after")}
	if v := q.Get("limit"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > 100 {
			return p, &scri.Error{Kind: scri.ErrInvalid, Path: "/limit", Message: "limit must be a number from 1 to 100"}
		}
		p.limit = n
	}
	switch v := q.Get("order"); v {
	case "", "desc":
	case "asc":
		p.asc = true
	default:
		return p, &scri.Error{Kind: scri.ErrInvalid, Path: "/order", Message: "order must be asc or desc"}
	}
	return p, nil
}

// inputItems writes one page of what an answer was given to.
func inputItems(q url.Values, k *dialect.Kept) ([]byte, error) {
	p, err := pageOf(q)
	if err != nil {
		return nil, err
	}
	list := listItems(k)
	if !p.asc {
		slices.Reverse(list)
	}
	if p.after != "" {
		i := slices.IndexFunc(list, func(it listed) bool { return it.id == p.after })
		if i < 0 {
			return nil, &scri.Error{Kind: scri.ErrInvalid, Path: "/after", Message: "there is no item with id '" + p.after + "'"}
		}
		list = list[i+1:]
	}
	more := len(list) > p.limit
	list = list[:min(len(list), p.limit)]
	w := wire.Writer{}
	w.BeginObject()
	w.Key("object")
	w.Str("list")
	w.Key("data")
	w.BeginArray()
	for _, it := range list {
		w.Raw(it.raw)
	}
	w.EndArray()
	edge := func(name string, i int) {
		w.Key(name)
		if len(list) == 0 {
			w.Null()
		} else {
			w.Str(list[i].id)
		}
	}
	edge("first_id", 0)
	edge("last_id", len(list)-1)
	w.Key("has_more")
	w.Bool(more)
	w.EndObject()
	return w.B, nil
}

// listed is an item of a list.
type listed struct {
	id  string
	raw []byte
}

// listItems are the items of an answer's input in their order, each with what all
// items of lists have.
func listItems(k *dialect.Kept) []listed {
	e := &encoder{answer: true, input: true, status: statusCompleted, seed: seedOf(responseID(k.Response)) + "_in"}
	e.w.BeginArray()
	for _, m := range k.Input() {
		e.message(&m)
	}
	e.w.EndArray()
	var list []listed
	s := wire.NewScanner(e.w.B)
	for range s.Elements() {
		list = append(list, finished(s.Raw(), e.seed, len(list)))
	}
	return list
}

// finished gives an item the members that a client may have left out.
func finished(raw []byte, seed string, n int) listed {
	s := wire.NewScanner(raw)
	typ, id, role := dialect.Word(s.Peek("type")), dialect.Word(s.Peek("id")), dialect.Word(s.Peek("role"))
	status := s.Peek("status")
	if typ == "" {
		typ = typeMessage
	}
	if id == "" {
		id = itemPrefix(typ) + minted + seed + "_" + strconv.Itoa(n)
	}
	w := wire.Writer{}
	w.BeginObject()
	w.Key("id")
	w.Str(id)
	w.Key("type")
	w.Str(typ)
	if status == nil && typ != typeReasoning {
		w.Key("status")
		w.Str(statusCompleted)
	}
	for name := range s.Members() {
		switch {
		case name == "id" || name == "type":
			s.Skip()
		case name == "content" && typ == typeMessage && s.Kind() == wire.String:
			w.Key(name)
			w.BeginArray()
			text := s.Raw()
			w.BeginObject()
			w.Key("type")
			if role == string(scri.RoleAssistant) {
				w.Str(typeOutputText)
				w.Key("annotations")
				w.Raw([]byte("[]"))
			} else {
				w.Str(typeInputText)
			}
			w.Key("text")
			w.Raw(text)
			w.EndObject()
			w.EndArray()
		default:
			w.Raw(s.Member())
		}
	}
	w.EndObject()
	return listed{id: strings.Clone(id), raw: w.B}
}

// itemPrefix begins the ids of items of a type.
func itemPrefix(typ string) string {
	switch typ {
	case typeMessage:
		return "msg"
	case typeReasoning:
		return "rs"
	case typeCall:
		return "fc"
	case typeOutput:
		return "fco"
	case typeCustom:
		return "ctc"
	case typeCustomOut:
		return "ctco"
	default:
		return "item"
	}
}

// seedOf is what of an answer's id the ids of its items have.
func seedOf(id string) string {
	return strings.TrimPrefix(strings.TrimPrefix(id, idPrefix), strings.TrimPrefix(minted, "_"))
}
