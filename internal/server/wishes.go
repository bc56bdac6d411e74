package server

import (
	"fmt"
	"strconv"

	"github.com/aratta-gateway/aratta/internal/discreet"
	"github.com/aratta-gateway/aratta/scri"
)

// headerStrict is the wish that a client of any API may send with a request: no
// target that is asked less than the client says.
const headerStrict = "X-Aratta-Strict"

// wish puts what a client wishes in headers into its request. One that is not
// understood is refused: it must not pass unheard.
func wish(x *scri.Exchange) error {
	v := header(x.Header, headerStrict)
	if v == "" {
		return nil
	}
	strict, err := strconv.ParseBool(v)
	if err != nil {
		return &scri.Error{
			Kind: scri.ErrInvalid, Code: "invalid_header",
			Message: fmt.Sprintf("the header %s is %q; it can be true or false", headerStrict, discreet.Clip(v)),
		}
	}
	if !strict {
		return nil
	}
	if x.Embed != nil {
		e := *x.Embed
		e.Routing = strictly(e.Routing)
		x.Embed = &e
	}
	if x.Req != nil {
		r := *x.Req
		r.Routing = strictly(r.Routing)
		x.Req = &r
	}
	return nil
}

// strictly is a caller's wishes, and strictness.
func strictly(r *scri.Routing) *scri.Routing {
	var wishes scri.Routing
	if r != nil {
		wishes = *r
	}
	wishes.Strict = true
	return &wishes
}
