package anthropic

import "net/url"

// The variant for Google's Vertex AI, which has the model in the path and the version
// in the body.
const (
	variantVertex = "vertex"
	vertexVersion = "vertex-2023-10-16"
)

func (e *requestEncoder) vertex() bool { return e.t.Variant == variantVertex }

// named writes which model is asked, or what Vertex wants in its place.
func (e *requestEncoder) named() {
	if e.vertex() {
		e.str("anthropic_version", vertexVersion)
		return
	}
	e.str("model", e.model())
}

func (e *requestEncoder) path() string {
	switch {
	case !e.vertex():
		return pathMessages
	case e.req.Stream:
		return pathModels + "/" + url.PathEscape(e.model()) + ":streamRawPredict"
	default:
		return pathModels + "/" + url.PathEscape(e.model()) + ":rawPredict"
	}
}

func (e *requestEncoder) countPath() string {
	if e.vertex() {
		return pathModels + "/count-tokens:rawPredict"
	}
	return pathCount
}
