package api

import (
	"mime"
	"net"
	"net/http"
	"slices"
	"strings"
)

// guard decides what is answered at all, before anybody asks for whom: a page in a
// browser on this machine must not act through us, whatever name it gave itself.
type guard struct {
	hosts []string // names and addresses that a request may be sent to, without port
}

// arrival is what the guard looks at of a request.
type arrival struct {
	method, host, origin, fetchSite, contentType string
	body                                         bool
}

func arrivalOf(r *http.Request) arrival {
	return arrival{
		method: r.Method, host: r.Host, origin: r.Header.Get("Origin"), fetchSite: r.Header.Get("Sec-Fetch-Site"),
		contentType: r.Header.Get("Content-Type"), body: r.ContentLength != 0,
	}
}

// methods lists the methods that some operation has.
var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodDelete}

// contentTypes lists what bodies may be. None of them can be sent by a form, and a
// page that sends one by a script has to ask first, which is refused.
var contentTypes = []string{"application/json", "application/x-ndjson"}

// refuse says why a request is not answered, or nil.
func (g *guard) refuse(a arrival) *Failure {
	switch {
	case !slices.Contains(methods, a.method):
		return failure(http.StatusMethodNotAllowed, a.method+" is not a method of this interface", "use "+strings.Join(methods, ", "))
	case !slices.Contains(g.hosts, hostName(a.host)):
		return failure(http.StatusForbidden, "this interface is not known as "+quoted(a.host), "use http://127.0.0.1 or a name of this machine")
	case a.origin != "":
		return failure(http.StatusForbidden, "pages in a browser may not use this interface", "")
	case a.fetchSite != "" && a.fetchSite != "none" && a.fetchSite != "same-origin":
		return failure(http.StatusForbidden, "pages in a browser may not use this interface", "")
	}
	if !a.body {
		return nil
	}
	media, _, err := mime.ParseMediaType(a.contentType)
	if err != nil || !slices.Contains(contentTypes, media) {
		return failure(http.StatusUnsupportedMediaType, "a body of the type "+quoted(a.contentType)+" is not read",
			"send Content-Type: application/json")
	}
	return nil
}

// hostName is a Host without its port, in lower case.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}
