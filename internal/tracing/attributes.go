package tracing

import (
	"net"
	"net/http"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/aratta-gateway/aratta/internal/discreet"
	"github.com/aratta-gateway/aratta/scri"
)

// The names of the semantic conventions that are used.
const (
	operationKey     = attribute.Key("gen_ai.operation.name")
	providerKey      = attribute.Key("gen_ai.provider.name")
	requestModelKey  = attribute.Key("gen_ai.request.model")
	responseModelKey = attribute.Key("gen_ai.response.model")
	finishReasonsKey = attribute.Key("gen_ai.response.finish_reasons")
	inputKey         = attribute.Key("gen_ai.usage.input_tokens")
	outputKey        = attribute.Key("gen_ai.usage.output_tokens")
	cacheReadKey     = attribute.Key("gen_ai.usage.cache_read.input_tokens")
	cacheWriteKey    = attribute.Key("gen_ai.usage.cache_creation.input_tokens")
	errorTypeKey     = attribute.Key("error.type")
	addressKey       = attribute.Key("server.address")
	portKey          = attribute.Key("server.port")
	methodKey        = attribute.Key("http.request.method")
	routeKey         = attribute.Key("http.route")
	statusKey        = attribute.Key("http.response.status_code")
)

// operation is what the conventions call an operation.
func operation(op scri.Op) string {
	if op == scri.OpEmbed {
		return "embeddings"
	}
	return string(op)
}

func named(operation, model string) string {
	if model == "" {
		return operation
	}
	return operation + " " + discreet.Clip(model)
}

// tell writes what is known of a request into its span.
func (q *request) tell(x *scri.Exchange, status int, err *scri.Error) {
	s, l := q.span, x.Lineage
	method, route, ok := strings.Cut(q.http.Pattern, " ")
	if !ok {
		method, route = known(q.http.Method), method
	}
	if route == "/" && x.Op == "none" { // which takes what has no other
		route = ""
	}
	s.SetName(strings.TrimSpace(method + " " + route))
	s.SetAttributes(methodKey.String(method), statusKey.Int(status), attribute.String("aratta.request_id", x.ID))
	if l.Ingress != "" {
		s.SetAttributes(attribute.String("aratta.ingress", l.Ingress))
	}
	if route != "" {
		s.SetAttributes(routeKey.String(route))
	}
	if l.Asked != "" || len(l.Attempts) > 0 {
		s.SetAttributes(operationKey.String(operation(x.Op)), attribute.Int("aratta.attempts", len(l.Attempts)))
	}
	if l.Asked != "" {
		s.SetAttributes(requestModelKey.String(discreet.Clip(l.Asked)))
	}
	if l.Chain != "" {
		s.SetAttributes(attribute.String("aratta.chain", l.Chain))
	}
	if n := len(l.Attempts); n > 0 {
		s.SetAttributes(providerKey.String(providerName(&l.Attempts[n-1])))
		if l.Attempts[n-1].Outcome == "ok" {
			s.SetAttributes(q.answered(l.Attempts[n-1].Model)...)
		}
	}
	if l.CostUSD != nil {
		s.SetAttributes(attribute.Float64("aratta.cost_usd", *l.CostUSD))
	}
	// What a client did wrong is no error of this server, nor that it left.
	fail(s, err, err != nil && err.Kind != scri.ErrCanceled && (status >= http.StatusInternalServerError || status < http.StatusBadRequest))
}

// known is a method by its name. A client may write any word for one.
func known(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return method
	default:
		return "_OTHER"
	}
}

// answered is what an answer told of itself.
func (q *request) answered(model string) []attribute.KeyValue {
	if q.model != "" {
		model = q.model
	}
	list := []attribute.KeyValue{responseModelKey.String(discreet.Clip(model))}
	if len(q.reasons) > 0 {
		list = append(list, finishReasonsKey.StringSlice(q.reasons))
	}
	return list
}

// attemptAttributes is what is told of an attempt.
func attemptAttributes(op scri.Op, a *scri.Attempt, host string) []attribute.KeyValue {
	list := []attribute.KeyValue{
		operationKey.String(operation(op)), providerKey.String(providerName(a)), requestModelKey.String(discreet.Clip(a.Model)),
		attribute.String("aratta.provider", a.Provider), attribute.String("aratta.zone", a.Zone), attribute.String("aratta.dialect", a.Dialect),
		attribute.String("aratta.outcome", a.Outcome),
	}
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	list = append(list, addressKey.String(name))
	if n, err := strconv.Atoi(port); err == nil {
		list = append(list, portKey.Int(n))
	}
	if a.FirstMS > 0 {
		list = append(list, attribute.Float64("aratta.first_ms", a.FirstMS))
	}
	if a.CostUSD != nil {
		list = append(list, attribute.Float64("aratta.cost_usd", *a.CostUSD))
	}
	if len(a.Overlays) > 0 {
		list = append(list, attribute.StringSlice("aratta.overlays", a.Overlays))
	}
	if u := a.Usage; u != nil {
		for _, c := range []struct {
			key attribute.Key
			n   *int64
		}{{inputKey, u.Input}, {outputKey, u.Output}, {cacheReadKey, u.CacheRead}, {cacheWriteKey, u.CacheWrite}} {
			if c.n != nil {
				list = append(list, c.key.Int64(*c.n))
			}
		}
	}
	return list
}

// providerName is what the conventions call a provider, else its name in the
// configuration.
func providerName(a *scri.Attempt) string {
	switch a.Provider {
	case "google":
		return "gcp.gemini"
	case "vertex":
		return "gcp.vertex_ai"
	case "azure":
		return "azure.ai.openai"
	case "bedrock":
		return "aws.bedrock"
	case "xai":
		return "x_ai"
	case "mistral":
		return "mistral_ai"
	default:
		return a.Provider
	}
}

// fail notes the kind of an error; failed says that the span's own work did. What
// the error says may quote what was sent, and is left out.
func fail(s trace.Span, err *scri.Error, failed bool) {
	if err == nil {
		return
	}
	kind := string(err.Kind)
	if discreet.Code(kind) == "" { // another gateway may have written it
		kind = "_OTHER"
	}
	s.SetAttributes(errorTypeKey.String(kind))
	if failed {
		s.SetStatus(codes.Error, "")
	}
}
