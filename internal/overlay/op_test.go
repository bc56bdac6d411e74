package overlay_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/overlay"
	"github.com/aratta-gateway/aratta/scri"
)

// parse reads overlays that must be sound.
func parse(t testing.TB, text string) []*overlay.Overlay {
	t.Helper()
	list, err := overlay.Parse("test.yaml", []byte(text), overlay.User)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestOps reads as the manual of each op: what it makes of what.
func TestOps(t *testing.T) {
	tests := []struct{ name, match, op, example string }{
		{"rename keeps the place", "", `{op: rename, from: a, to: b}`, `before: {a: 1, c: 2}, after: {b: 1, c: 2}`},
		{"rename with values", "", `{op: rename, from: a, to: b, value_map: {"true": enabled}}`, `before: {a: true}, after: {b: enabled}`},
		{"rename yields to what is there", "", `{op: rename, from: a, to: b}`, `before: {a: 1, b: 2}, after: {b: 2}, warnings: [dropped /a]`},
		{"rename over null", "", `{op: rename, from: a, to: b}`, `before: {a: 1, b: null}, after: {b: 1}`},
		{"move into what must be made", "", `{op: move, from: a, to: b.c.d}`, `before: {a: 1}, after: {b: {c: {d: 1}}}`},
		{"move merges deeply", "", `{op: move, from: a, to: b, merge: true}`, `before: {a: {x: 1, y: {z: 2}}, b: {x: 0, y: {w: 3}}}, after: {b: {x: 0, y: {w: 3, z: 2}}}`},
		{"move replaces", "", `{op: move, from: a, to: b}`, `before: {a: {x: 1}, b: {y: 2}}, after: {b: {x: 1}}`},
		{"move joins lists", "", `{op: move, from: a, to: b}`, `before: {a: [1], b: [0]}, after: {b: [0, 1]}`},
		{"move to the front", "", `{op: move, from: a, to: "b[0]"}`, `before: {a: x, b: [y]}, after: {b: [x, y]}`},
		{"move within each element", "", `{op: move, from: "m[*].a", to: "m[*].x.a"}`, `before: {m: [{a: 1}, {b: 2}]}, after: {m: [{x: {a: 1}}, {b: 2}]}`},
		{"wrap where it stands", "", `{op: wrap, from: a, to: a, template: [$value]}`, `before: {a: {k: 1}}, after: {a: [{k: 1}]}`},
		{"wrap into a text", "", `{op: wrap, from: a, to: a, template: "say $value"}`, `before: {a: hi}, after: {a: say hi}`},
		{"drop by filter", "", `{op: drop, path: "m[?role=='user'].name"}`, `before: {m: [{role: user, name: a}, {role: tool, name: b}]}, after: {m: [{role: user}, {role: tool, name: b}]}, warnings: [dropped /m/0/name]`},
		{"drop and prune", "", `{op: drop, path: a.b.c, prune: true}`, `before: {a: {b: {c: 1}}, d: 2}, after: {d: 2}`},
		{"drop by RFC 9535", "", `{op: drop, path: "$..cache['ttl']"}`, `before: {a: {cache: {ttl: 1, k: 1}}, b: [{cache: {ttl: 2}}]}, after: {a: {cache: {k: 1}}, b: [{cache: {}}]}`},
		{"drop with a function", "", `{op: drop, path: "$.a[?length(@.s) > 2]"}`, `before: {a: [{s: abc}, {s: a}]}, after: {a: [{s: a}]}`},
		{"drop items", "", `{op: drop_item, path: tools, match: {type: web_search}}`, `before: {tools: [{type: function}, {type: web_search}]}, after: {tools: [{type: function}]}, warnings: [dropped /tools/1]`},
		{"drop items without a member", "", `{op: drop_item, path: tools, match: {name: null}}`, `before: {tools: [{name: a}, {}]}, after: {tools: [{name: a}]}`},
		{"set says that it adds", "", `{op: set, path: a, value: 1}`, `before: {}, after: {a: 1}, warnings: [added /a]`},
		{"set says that it changes", "", `{op: set, path: a, value: 1}`, `before: {a: 2}, after: {a: 1}, warnings: [changed /a]`},
		{"set what is so already", "", `{op: set, path: a, value: 1}`, `before: {a: 1}, after: {a: 1}, warnings: []`},
		{"set makes no elements", "", `{op: set, path: "a[*].b", value: 1}`, `before: {a: [{}, {b: 2}]}, after: {a: [{b: 1}, {b: 1}]}`},
		{"set below a text changes nothing", "", `{op: set, path: a.b, value: 1}`, `before: {a: text}, after: {a: text}`},
		{"map of null removes", "", `{op: map_enum, path: a, map: {x: null}}`, `before: {a: x}, after: {}`},
		{"map of what is not a text", "", `{op: map_enum, path: a, map: {"false": off, "3": three}}`, `before: {a: false}, after: {a: "off"}`},
		{"map leaves others", "", `{op: map_enum, path: a, map: {x: y}}`, `before: {a: z}, after: {a: z}`},
		{"map of one written with an escape", "", `{op: map_enum, path: a, map: {"é": e}}`, `before: {a: "\u00e9"}, after: {a: e}`},
		{"roles of any format", "", `{op: map_role, from: a, to: b}`, `before: {input: [{role: a}], contents: [{role: a}]}, after: {input: [{role: b}], contents: [{role: b}]}`},
		{"clamp from below", "", `{op: clamp, path: a, min: 1}`, `before: {a: -2}, after: {a: 1}`},
		{"clamp leaves what fits", "", `{op: clamp, path: a, min: 1, max: 2}`, `before: {a: 1.50}, after: {a: 1.5}, warnings: []`},
		{"constraint without a repair", "", `{op: constraint, expr: a > b.c}`, `before: {a: 1, b: {c: 5}}, after: {a: 6, b: {c: 5}}`},
		{"constraint that drops", "", `{op: constraint, expr: a <= 3 - 1, repair: drop a}`, `before: {a: 3}, after: {}, warnings: [dropped /a]`},
		{"constraint that lowers", "", `{op: constraint, expr: b < a, repair: lower b to a - 1}`, `before: {a: 4, b: 9}, after: {a: 4, b: 3}`},
		{"constraint of what is absent", "", `{op: constraint, expr: a > b}`, `before: {a: 4}, after: {a: 4}`},
		{"exclusive keeps the first where the kept is absent", "", `{op: exclusive, paths: [a, b, c], keep: a}`, `before: {b: 1, c: 2}, after: {b: 1}`},
		{"convert to a list", "", `{op: convert, path: a, to: array}`, `before: {a: x}, after: {a: [x]}`},
		{"convert to a text with images beside", "", `{op: convert, path: "m[*].content", to: string, join: " ", images_to: "m[*].images"}`, `before: {m: [{content: [{text: a}, {type: image_url, image_url: {url: "data:image/png;base64,QUJD"}}, b]}]}, after: {m: [{content: a b, images: [QUJD]}]}`},
		{"convert drops the rest", "", `{op: convert, path: a, to: string, rest: drop}`, `before: {a: [{text: x}, {y: 1}]}, after: {a: x}, warnings: [dropped /a/1]`},
		{"convert by a table", "", `{op: convert, path: a, to: object, map: {"true": {type: enabled}}}`, `before: {a: true}, after: {a: {type: enabled}}`},
		{"convert of arguments that are no JSON", "", `{op: convert, path: a, to: object, from: json-string}`, `before: {a: "{half"}, after: {a: "{half"}`},
		{"schemas: a property may be called like a keyword", "", `{op: schema_drop, root: s, keyword: [title, const]}`, `before: {s: {title: t, properties: {title: {const: a, enum: [{title: x}]}}}}, after: {s: {properties: {title: {enum: [{title: x}]}}}}`},
		{"schemas: several types", "", `{op: schema_rewrite, root: s, keyword: type, to: type+nullable, when: is_array}`, `before: {s: {type: [string, integer, "null"]}}, after: {s: {anyOf: [{type: string}, {type: integer}], nullable: true}}`},
		{"schemas: set if absent", "", `{op: schema_set, root: s, keyword: additionalProperties, value: false, where: "type=='object'", if_absent: true}`, `before: {s: {type: object, additionalProperties: true, items: {type: object}}}, after: {s: {type: object, additionalProperties: true, items: {type: object, additionalProperties: false}}}`},
		{"ids: two that would fall together", "", `{op: id_rewrite, paths: ["a[*]"], pattern: "^[a-z_]+$", strategy: replace-invalid+collision-suffix}`, `before: {a: [x.y, "x:y", x.y, x_y]}, after: {a: [x_y__, x_y___, x_y__, x_y]}`},
		{"messages: append after a role", "", `{op: append_message, message: {role: user, content: go on}, after_role: assistant}`, `before: {messages: [{role: assistant}]}, after: {messages: [{role: assistant}, {role: user, content: go on}]}, warnings: [added /messages/1]`},
		{"messages: not after another", "", `{op: append_message, message: {role: user, content: go on}, after_role: assistant}`, `before: {messages: [{role: user}]}, after: {messages: [{role: user}]}`},
		{"messages: first", "", `{op: append_message, message: {role: system}, position: first}`, `before: {messages: [{role: user}]}, after: {messages: [{role: system}, {role: user}]}`},
		{"reorder: system first", "", `{op: reorder, path: messages, rule: system-first}`, `before: {messages: [{role: user}, {role: system}]}, after: {messages: [{role: system}, {role: user}]}, warnings: [changed /messages]`},
		{"pairs: chat completions", "", `{op: pair_tool_results, fill: lost}`, `before: {messages: [{role: assistant, tool_calls: [{id: a}, {id: b}]}, {role: tool, tool_call_id: b}, {role: user}]}, after: {messages: [{role: assistant, tool_calls: [{id: a}, {id: b}]}, {role: tool, tool_call_id: b}, {role: tool, tool_call_id: a, content: lost}, {role: user}]}`},
		{"pairs: messages", "dialect: anthropic", `{op: pair_tool_results, fill: lost}`, `before: {messages: [{role: assistant, content: [{type: tool_use, id: a}]}, {role: user, content: hi}]}, after: {messages: [{role: assistant, content: [{type: tool_use, id: a}]}, {role: user, content: [{type: tool_result, tool_use_id: a, is_error: true, content: lost}]}, {role: user, content: hi}]}`},
		{"pairs: all there", "dialect: bedrock", `{op: pair_tool_results}`, `before: {messages: [{content: [{toolUse: {toolUseId: a}}]}, {content: [{toolResult: {toolUseId: a}}]}]}, after: {messages: [{content: [{toolUse: {toolUseId: a}}]}, {content: [{toolResult: {toolUseId: a}}]}]}, warnings: []`},
		{"a schema in the prompt, beside instructions", "dialect: anthropic", `{op: inject_schema_prompt, from: f, text: "JSON: $schema"}`, `before: {f: {type: object}, system: Be brief}, after: {f: {type: object}, system: "Be brief\n\nJSON: {\"type\":\"object\"}"}`},
		{"streams upstream", "", `{op: force_stream_aggregate}`, `before: {stream: false}, after: {stream: true}, warnings: []`},
		{"media that are inline already", "", `{op: inline_media, path: "a[*].url"}`, `before: {a: [{url: "data:image/png;base64,QQ=="}]}, after: {a: [{url: "data:image/png;base64,QQ=="}]}`},
		{"header set", "", `{op: header_set, header: x-a, value: b}`, `at: headers, before: {X-A: c, X-B: d}, after: {x-a: b, x-b: d}`},
		{"header dropped", "", `{op: header_drop, header: x-a}`, `at: headers, before: {X-A: c}, after: {}, warnings: [dropped /header/X-A]`},
		{"one token of a list", "", `{op: header_token_drop, header: anthropic-beta, token: mcp-*}`, `at: headers, before: {anthropic-beta: "a-1, mcp-2, b"}, after: {anthropic-beta: "a-1,b"}, warnings: [dropped /header/Anthropic-Beta]`},
		{"the last token", "", `{op: header_token_drop, header: anthropic-beta, token: a}`, `at: headers, before: {anthropic-beta: a}, after: {}`},
		{"a whole path", "", `{op: path, to: /v2/x}`, `at: path, before: "/v1/y?q=1", after: "/v2/x?q=1"`},
		{"the end of a path", "", `{op: path, from: /v1/chat, to: /v2/chat}`, `at: path, before: /gw/v1/chat, after: /gw/v2/chat`},
		{"another path", "", `{op: path, from: /v1/chat, to: /v2/chat}`, `at: path, before: /v1/embed, after: /v1/embed`},
		{"a parameter, others as they are", "", `{op: query_set, param: v, value: "2"}`, `at: path, before: "/x?a=%20&v=1&b", after: "/x?a=%20&v=2&b"`},
		{"an alias in the path", "", `{op: model_alias, from: old*, to: new}`, `at: path, model: old-1, before: "/v1beta/models/old-1:generateContent", after: "/v1beta/models/new:generateContent", warnings: [changed /model]`},
		{"answers: a name over null", "", `{op: response_rename, at: response, from: "c[*].u", to: "c[*].v"}`, `at: response, before: {c: [{u: 1, v: null}]}, after: {c: [{v: 1}]}`},
		{"answers: a default where null", "", `{op: response_default, at: response, path: "c[*].u", value: {n: 0}, flag: guessed}`, `at: response, before: {c: [{u: null}, {u: 1}]}, after: {c: [{u: {n: 0}, guessed: true}, {u: 1}]}`},
		{"streams: positions", "", `{op: response_default, path: "t[*].index", value: $position_by_id, at: stream}`, `at: stream, before: [{t: [{id: a}]}, {t: [{id: b}, {id: a}]}, {t: [{}]}], after: [{t: [{id: a, index: 0}]}, {t: [{id: b, index: 1}, {id: a, index: 0}]}, {t: [{index: 0}]}]`},
		{"streams: what an earlier event said", "", `{op: response_default, at: stream, event: end, path: n, value: $start.m.n}`, `at: stream, before: [{type: start, m: {n: 7}}, {type: mid}, {type: end}], after: [{type: start, m: {n: 7}}, {type: mid}, {type: end, n: 7}]`},
		{"streams: ids that continue nothing", "", `{op: response_default, at: stream, path: "t[*].id", value: $generated_or_previous, when: {equals: ""}}`, `at: stream, before: [{t: [{index: 0, id: "", args: x}]}], after: [{t: [{index: 0, args: x}]}]`},
		{"streams: ignored", "", `{op: stream_ignore, events: [a, b]}`, `at: stream, before: [{type: a}, {type: c}, "[DONE]"], after: [{type: c}, "[DONE]"]`},
		{"streams: accepted are left alone", "", `{op: stream_accept, match: {choices: []}, as: metadata}, {op: stream_ignore, match: {choices: []}}`, `at: stream, before: [{choices: [], id: ""}, {choices: [1]}], after: [{choices: []}, {choices: [1]}]`},
		{"streams: renamed", "", `{op: stream_rename, from: a, to: b}`, `at: stream, before: [{type: a, x: 1}], after: [{type: b, x: 1}]`},
		{"streams: told before", "", `{op: stream_synthesize, before: delta, unless: start, data: {type: start}}`, `at: stream, before: [{type: delta}, {type: delta}], after: [{type: start}, {type: delta}, {type: delta}]`},
		{"streams: told already", "", `{op: stream_synthesize, after: delta, unless: start, data: {type: start}}`, `at: stream, before: [{type: start}, {type: delta}], after: [{type: start}, {type: delta}]`},
		{"streams: over", "", `{op: stream_end, match: {object: done}}`, `at: stream, before: [{object: x}, {object: done}, {object: y}], after: [{object: x}, {object: done}]`},
		{"streams: failed", "", `{op: stream_error, match: $.error}`, `at: stream, before: [{error: {code: 429, message: too many}}], error: too many`},
		{"streams: no error", "", `{op: stream_error, match: $.error}`, `at: stream, before: [{error: null}], after: [{error: null}]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := parse(t, fmt.Sprintf("{id: x, version: 1, match: {%s}, ops: [%s], cases: [{%s}]}", tt.match, tt.op, tt.example))[0]
			if err := o.Try(&o.Cases[0]); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestConditions asks the request, or the value that an op is about to change.
func TestConditions(t *testing.T) {
	tests := []struct {
		when, before string
		holds        bool
	}{
		{"{present: b}", `{a: 1, b: null}`, true},
		{"{present: [b, c]}", `{a: 1, b: 1}`, false},
		{"{absent: [b, c]}", `{a: 1}`, true},
		{"{absent: b}", `{a: 1, b: null}`, false},
		{"{b: x}", `{a: 1, b: x}`, true},
		{"{b: [x, null]}", `{a: 1}`, true},
		{"{b.c: 1}", `{a: 1, b: {c: 1.0}}`, true},
		{"{equals: 1}", `{a: 1}`, true},
		{"{in: [2, 3]}", `{a: 1}`, false},
		{"{empty: true}", `{a: []}`, true},
		{"{empty: false}", `{a: {}}`, false},
		{"{type: [number, string]}", `{a: x}`, true},
		{"is_array", `{a: x}`, false},
		{"{not: {equals: 1}}", `{a: 1}`, false},
		{"{any: [{equals: 2}, {present: b}]}", `{a: 1, b: 1}`, true},
		{"{any: [{equals: 2}, {present: b}]}", `{a: 1}`, false},
		{"{present: b, equals: 1}", `{a: 2, b: 1}`, false},
	}
	for _, tt := range tests {
		t.Run(tt.when+" "+tt.before, func(t *testing.T) {
			o := parse(t, fmt.Sprintf("{id: x, version: 1, ops: [{op: drop, path: a, when: %s}], cases: [{before: %s, after: %s}]}", tt.when, tt.before, tt.before))[0]
			if err := o.Try(&o.Cases[0]); (err != nil) != tt.holds {
				t.Errorf("holds: %v, want %v", err != nil, tt.holds)
			}
		})
	}
}

// TestFactsAreThoseBeforeTheOverlay: an op cannot take away the ground of another
// of its own overlay.
func TestFactsAreThoseBeforeTheOverlay(t *testing.T) {
	o := parse(t, `
id: x
version: 1
ops:
  - {op: drop, path: a}
  - {op: set, path: b, value: 1, when: {present: a}}
cases:
  - {before: {a: 1}, after: {b: 1}}
---
id: y
version: 1
ops:
  - {op: map_enum, path: a, map: {old: new}}
  - {op: set, path: b, value: 1, when: {was: old}}
cases:
  - {before: {a: old}, after: {a: new, b: 1}}
  - {before: {a: new}, after: {a: new}}
---
id: fallback
version: 1
note: a second choice where the first did nothing
ops:
  - {op: rename, from: a, to: b}
  - {op: drop, path: c, fallback: true}
cases:
  - {before: {a: 1, c: 1}, after: {b: 1, c: 1}}
  - {before: {c: 1}, after: {}}
`)
	for _, o := range o {
		for i := range o.Cases {
			if err := o.Try(&o.Cases[i]); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestMistakesHaveTheirPlace(t *testing.T) {
	tests := []struct{ text, want string }{
		{"", "test.yaml:1:1: no overlay in it"},
		{"id: [", "test.yaml:1:5: "},
		{"- 1", "test.yaml:1:1: overlay: want a mapping, got a list"},
		{"version: 1", "overlay: id is missing"},
		{"id: Über\nversion: 1\nops: []", `test.yaml:1:5: overlay: id: "Über" is none`},
		{"id: a\nversion: 1", "ops is missing"},
		{"id: a\nversion: 1\nopps: []", `test.yaml:1:1: overlay: ops is missing`},
		{"id: a\nversion: 1\nops: [{op: none, action: x}]\nmach: {}", `test.yaml:4:1: overlay: unknown key "mach"; did you mean "match"?`},
		{"id: a\nversion: 1\nops:\n  - op: map_enmu", `test.yaml:4:9: unknown op "map_enmu"; did you mean "map_enum"?`},
		{"id: a\nversion: 1\nops:\n  - {op: drop, path: 'a['}", `test.yaml:4:22: op drop: path: "a[" is no path: a bracket is not closed`},
		{"id: a\nversion: 1\nops:\n  - {op: drop, path: a, when: {presnt: b, absent: c}}", ""},
		{"id: a\nversion: 1\nops:\n  - {op: drop, path: a, at: response}", `op drop: at: "response" is no place for this op`},
		{"id: a\nversion: 1\nmatch: {direction: stream}\nops:\n  - {op: drop, path: a}", `acts on the request, and match.direction says stream`},
		{"id: a\nversion: 1\nmatch: {dialect: opanai}\nops: [{op: none, action: x}]", `test.yaml:3:18: match: dialect: "opanai" is not known; did you mean "openai"?`},
		{"id: a\nversion: 1\nops: [{op: exclusive, paths: [a, b], keep: c}]", `keep: "c" is none of paths`},
		{"id: a\nversion: 1\nops: [{op: clamp, path: a}]", "want min, or max"},
		{"id: a\nversion: 1\nops: [{op: header_set, header: Content-Length, value: '1'}]", `header: "Content-Length" cannot be written`},
		{"id: a\nversion: 1\nops: [{op: base_url, from: x, to: y}]", `from: "x" is no address`},
		{"id: a\nversion: 1\nops: [{op: rename, from: 'a[*].b', to: 'c[*].d'}]", "leads to several places"},
		{"id: a\nversion: 1\nops: [{op: set, path: a}]", "value is missing"},
		{"id: a\nversion: 1\nops: [{op: id_rewrite, paths: a, pattern: '^a|b$', strategy: replace-invalid+truncate-hash}]", "is not one class of characters"},
		{"id: a\nversion: 1\nops: [{op: response_default, path: a, value: $position_of_id}]", "is no computed value"},
		{"id: a\nversion: 1\nops: [{op: none, action: x}]\nexpires: soon", `test.yaml:4:10: overlay: expires: "soon" is no day`},
		{"id: a\nversion: 1\nops: [{op: none, action: x}]\nevidence: {sentence: s, source: x}", "date is missing"},
		{"id: a\nversion: 1\nid: b", "test.yaml:3:1: "},
		{"id: a\nversion: 1\nops: &x [*x]", "anchors, aliases"},
		{"{id: a, version: 1, ops: [{op: none, action: x}]}\n---\n{id: a, version: 2, ops: [{op: none, action: x}]}", `overlay "a" stands in line 1 already`},
	}
	for _, tt := range tests {
		_, err := overlay.Parse("test.yaml", []byte(tt.text), overlay.User)
		switch {
		case tt.want == "":
			if err != nil {
				t.Errorf("%q: %v", tt.text, err)
			}
		case err == nil:
			t.Errorf("%q is taken, want %q", tt.text, tt.want)
		default:
			if e := scri.AsError(err); e.Kind != scri.ErrInvalid || !strings.Contains(e.Message, tt.want) {
				t.Errorf("%q: got %v, want %q", tt.text, err, tt.want)
			}
		}
	}
}

// TestOnlyPeopleWriteThese: what was healed cannot lead a request, or who asks,
// elsewhere.
func TestOnlyPeopleWriteThese(t *testing.T) {
	for _, op := range []string{
		`{op: base_url, from: "https://a.example", to: "https://b.example"}`,
		`{op: dialect, to: responses}`,
		`{op: path, from: /a, to: /b, dialect: responses}`,
		`{op: header_set, header: Authorization, value: x}`,
		`{op: header_set, header: X-Goog-Api-Key, value: x}`,
		`{op: header_drop, header: Cookie}`,
		`{op: query_set, param: key, value: x}`,
	} {
		text := "{id: x, version: 1, approval: {by: somebody}, ops: [" + op + "]}"
		if _, err := overlay.Parse("h", []byte(text), overlay.User); err != nil {
			t.Errorf("a person may not: %v", err)
		}
		_, err := overlay.Parse("h", []byte(text), overlay.Healed)
		if err == nil || !strings.Contains(err.Error(), "only people may write") {
			t.Errorf("%s: healed, got %v", op, err)
		}
	}
	for _, name := range []string{"Host", "Content-Length", "transfer-encoding"} {
		if _, err := overlay.Parse("h", []byte("{id: x, version: 1, ops: [{op: header_set, header: "+name+", value: x}]}"), overlay.User); err == nil {
			t.Errorf("%s may be written", name)
		}
	}
}
