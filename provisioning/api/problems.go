package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"tandem/callflows"
	"tandem/postgres"
	"tandem/provisioning"
)

// Problem is a refusal, RFC 9457. What was sent is never part of it.
type Problem struct {
	Status  int                   `json:"status" example:"422"`
	Title   string                `json:"title" example:"Unprocessable Entity"`
	Code    string                `json:"code" example:"invalid" doc:"Stable: programs go by it."`
	Detail  string                `json:"detail" example:"extension is not 2 to 8 digits." doc:"For people."`
	Field   string                `json:"field,omitempty" doc:"Member or path at fault."`
	Errors  []Fault               `json:"errors,omitempty" doc:"All that is wrong, when it can be told at once."`
	Faults  []callflows.FlowFault `json:"faults,omitempty" doc:"All that is wrong with a flow, each with how to mend it."`
	Request string                `json:"request,omitempty" doc:"The request's id, for whoever looks into it."`
}

// Fault is one thing that is wrong with a request.
type Fault struct {
	Location string `json:"location" example:"body.extension"`
	Message  string `json:"message" example:"expected string to match pattern ^[0-9]{2,8}$"`
}

func (p *Problem) Error() string { return p.Detail }

// GetStatus makes a Problem huma's.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is RFC 9457's.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// Refuse makes a refusal of an operation's own.
func Refuse(status int, code, detail string) error {
	return &Problem{Status: status, Title: http.StatusText(status), Code: code, Detail: detail}
}

// NotHere is the refusal for what is not there, or not the caller's.
func NotHere(noun string) error {
	return Refuse(http.StatusNotFound, "not_found", "There is no such "+noun+".")
}

// codeOf is the code of what the library refuses, by status.
func codeOf(status int) string {
	switch status {
	case http.StatusBadRequest:
		return "unreadable"
	case http.StatusUnauthorized:
		return "unauthorized"
	case http.StatusForbidden:
		return "forbidden"
	case http.StatusNotFound:
		return "not_found"
	case http.StatusNotAcceptable:
		return "not_acceptable"
	case http.StatusConflict:
		return "conflict"
	case http.StatusPreconditionFailed:
		return "stale"
	case http.StatusRequestEntityTooLarge:
		return "too_large"
	case http.StatusUnsupportedMediaType:
		return "content_type"
	case http.StatusUnprocessableEntity:
		return "invalid"
	case http.StatusTooManyRequests:
		return "too_many_requests"
	}
	return "failed"
}

// overrideErrors makes the library's own refusals Problems; it knows one maker for the whole process.
var overrideErrors = sync.OnceFunc(func() {
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		return newProblem(status, message, errs...)
	}
	huma.NewErrorWithContext = func(_ huma.Context, status int, message string, errs ...error) huma.StatusError {
		return newProblem(status, message, errs...)
	}
})

func newProblem(status int, message string, errs ...error) *Problem {
	p := &Problem{Status: status, Title: http.StatusText(status), Code: codeOf(status), Detail: message}
	for _, err := range errs {
		var d huma.ErrorDetailer
		switch {
		case err == nil:
		case errors.As(err, &d):
			detail := d.ErrorDetail() // its Value is what was sent: perhaps a secret
			p.Errors = append(p.Errors, Fault{Location: detail.Location, Message: detail.Message})
		default:
			p.Errors = append(p.Errors, Fault{Message: "cannot be read"})
		}
	}
	if len(p.Errors) > 0 {
		p.Field = strings.TrimPrefix(p.Errors[0].Location, "body.")
		p.Detail = sentence(p.Field + " " + p.Errors[0].Message)
	}
	p.Detail = sentence(p.Detail)
	return p
}

func sentence(s string) string {
	s = strings.TrimSpace(s)
	if s == "" || strings.HasSuffix(s, ".") {
		return s
	}
	return s + "."
}

// problem makes of what an operation returned what the caller is told.
func (a *API) problem(ctx context.Context, err error) error {
	var refused *provisioning.Error
	var already huma.StatusError
	switch request := CallerOf(ctx).Request; {
	case errors.As(err, &already):
		return err
	case errors.As(err, &refused):
		status := refused.Code.HTTPStatus()
		return &Problem{Status: status, Title: http.StatusText(status), Code: string(refused.Code), Field: refused.Field,
			Detail: sentence(refused.Field + " " + refused.Detail), Faults: refused.Faults, Request: request}
	case errors.Is(err, postgres.ErrNotFound):
		return NotHere("object")
	case errors.Is(err, postgres.ErrBadList):
		return Refuse(http.StatusBadRequest, "list_invalid", "The list cannot be sorted, filtered or paged like this: see the operation's parameters.")
	default:
		a.Log.ErrorContext(ctx, "a request failed", slog.String("request", request), slog.Any("error", err))
		return &Problem{Status: http.StatusServiceUnavailable, Title: http.StatusText(http.StatusServiceUnavailable), Code: "away",
			Detail: "This cannot be done at the moment. Try again shortly.", Request: request}
	}
}
