package server

import (
	"fmt"
	"strconv"

	"github.com/aratta-gateway/aratta/internal/discreet"
	"github.com/aratta-gateway/aratta/scri"
)

// headerStrict is a wish that a client of any API may send with a request: no
// target that is asked less than the client says. headerSovereign is another.
const headerStrict = "X-Aratta-Strict"

// wish puts what a client wishes in headers into its request. One that is not
// understood is refused, or taken for a yes: it must not pass unheard.
func wish(x *scri.Exchange) error {
	var strict bool
	if v := header(x.Header, headerStrict); v != "" {
		var err error
		if strict, err = strconv.ParseBool(v); err != nil {
			return &scri.Error{
				Kind: scri.ErrInvalid, Code: "invalid_header",
				Message: fmt.Sprintf("the header %s is %q; it can be true or false", headerStrict, discreet.Clip(v)),
			}
		}
	}
	sovereign := isYes(header(x.Header, headerSovereign))
	if !strict && !sovereign {
		return nil
	}
	if x.Embed != nil {
		e := *x.Embed
		e.Routing = wishing(e.Routing, strict, sovereign)
		x.Embed = &e
	}
	if x.Req != nil {
		r := *x.Req
		r.Routing = wishing(r.Routing, strict, sovereign)
		x.Req = &r
	}
	return nil
}

// wishing is a caller's wishes, and those of its headers.
func wishing(r *scri.Routing, strict, sovereign bool) *scri.Routing {
	var wishes scri.Routing
	if r != nil {
		wishes = *r
	}
	wishes.Strict = wishes.Strict || strict
	wishes.Sovereign = wishes.Sovereign || sovereign
	return &wishes
}
