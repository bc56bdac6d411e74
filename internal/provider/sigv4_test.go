package provider

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// The examples that Amazon publishes for Signature Version 4.
func TestSigV4KnownAnswers(t *testing.T) {
	at := func() time.Time { return time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC) }
	pair := &aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
	for _, c := range []struct {
		name, service, method, url, typ, headers, signature string
	}{
		{
			"get-vanilla", "service", "GET", "https://example.amazonaws.com/", "", "host;x-amz-date",
			"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
		},
		{
			"post-vanilla", "service", "POST", "https://example.amazonaws.com/", "", "host;x-amz-date",
			"5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
		},
		{
			"get-vanilla-query-order-key-case", "service", "GET", "https://example.amazonaws.com/?Param2=value2&Param1=value1", "", "host;x-amz-date",
			"b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
		},
		{
			"the example of the documentation", "iam", "GET", "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
			"application/x-www-form-urlencoded; charset=utf-8", "content-type;host;x-amz-date",
			"5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSigV4(pair, c.service, "us-east-1")
			s.now = at
			u, err := url.Parse(c.url)
			if err != nil {
				t.Fatal(err)
			}
			out := &outbound{method: c.method, url: u, header: http.Header{"User-Agent": {"x"}}}
			if c.typ != "" {
				out.header.Set("Content-Type", c.typ)
			}
			h, err := s.sign(context.Background(), out)
			if err != nil {
				t.Fatal(err)
			}
			want := "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/" + c.service +
				"/aws4_request, SignedHeaders=" + c.headers + ", Signature=" + c.signature
			if got := h.Get("Authorization"); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if out.header.Get("Authorization") != "" {
				t.Error("the headers of the request were changed")
			}
		})
	}
}

// A model's id is signed as it is sent: escaped once in the path, once more in
// what is signed. The pieces of a body are one body.
func TestSigV4OfPathsAndPieces(t *testing.T) {
	s := newSigV4(&aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret-of-nobody", SessionToken: "token-of-a-session"}, "bedrock", "eu-west-1")
	s.now = func() time.Time { return time.Unix(1.7e9, 0) }
	sign := func(rawURL string, out outbound) string {
		u, err := url.Parse(rawURL)
		if err != nil {
			t.Fatal(err)
		}
		out.method, out.url, out.header = "POST", u, http.Header{"Content-Type": {"application/json"}}
		h, err := s.sign(context.Background(), &out)
		if err != nil {
			t.Fatal(err)
		}
		if h.Get("X-Amz-Security-Token") != "token-of-a-session" || h.Get("X-Amz-Date") != "20231114T221320Z" {
			t.Errorf("got %v", h)
		}
		return h.Get("Authorization")
	}
	const path = "https://bedrock-runtime.eu-west-1.amazonaws.com/model/us.anthropic.claude-v1%3A0/converse"
	one := sign(path, outbound{body: []byte(`{"a":1}`)})
	if again := sign(path, outbound{body: []byte("x"), pieces: [][]byte{[]byte(`{"a"`), []byte(`:1}`)}}); again != one {
		t.Errorf("%s\nin pieces %s", one, again)
	}
	if !strings.Contains(one, "/eu-west-1/bedrock/aws4_request") || !strings.Contains(one, "content-length;content-type;host;x-amz-date;x-amz-security-token") {
		t.Error(one)
	}
	if other := sign(strings.Replace(path, "%3A", ":", 1), outbound{body: []byte(`{"a":1}`)}); other == one {
		t.Error("the escapes of a path say nothing")
	}
	if got := s.scrub("the token token-of-a-session is old"); strings.Contains(got, "token-of-a-session") {
		t.Error(got)
	}
}

func TestRegionOfHosts(t *testing.T) {
	for host, want := range map[string]string{
		"bedrock-runtime.us-east-1.amazonaws.com": "us-east-1", "bedrock-runtime-fips.us-gov-west-1.amazonaws.com": "us-gov-west-1",
		"bedrock-runtime.cn-north-1.amazonaws.com.cn": "cn-north-1", "localhost": "", "vpce-1.example.org": "", "amazonaws.com": "",
	} {
		if got := regionOf(host); got != want {
			t.Errorf("%s: %q", host, got)
		}
	}
}
