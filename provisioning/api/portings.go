package api

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tandem/numbers"
	"tandem/postgres"
	"tandem/provisioning"
)

// PortingText is what a porting order says.
type PortingText struct {
	Carrier    string   `json:"carrier" minLength:"1" maxLength:"256" example:"Other Telecom" doc:"The other one: from which, or to which, the numbers go."`
	Account    string   `json:"account,omitempty" maxLength:"256" doc:"The customer's there."`
	Subscriber string   `json:"subscriber" minLength:"1" maxLength:"256" doc:"As the other carrier knows him."`
	Address    string   `json:"address,omitempty" maxLength:"1024"`
	WantedOn   string   `json:"wanted_on,omitempty" format:"date" example:"2026-04-01"`
	Trunk      string   `json:"trunk,omitempty" maxLength:"64" doc:"By which the numbers' calls will come."`
	Note       string   `json:"note,omitempty" maxLength:"4096"`
	Numbers    []string `json:"numbers" minItems:"1" maxItems:"1000" nullable:"false" example:"[\"+493012345678\"]"`
}

func (b PortingText) text() (provisioning.PortingText, error) {
	t := provisioning.PortingText{Carrier: b.Carrier, Account: b.Account, Subscriber: b.Subscriber, Address: b.Address, Trunk: b.Trunk, Note: b.Note, Numbers: b.Numbers}
	if b.WantedOn == "" {
		return t, nil
	}
	day, err := time.Parse(time.DateOnly, b.WantedOn)
	t.WantedOn = &day
	if err != nil {
		err = Refuse(http.StatusUnprocessableEntity, "invalid", "wanted_on is not a day, such as 2026-04-01.")
	}
	return t, err
}

// PortingOrder is a porting order.
type PortingOrder struct {
	ID          string    `json:"id"`
	Tenant      string    `json:"tenant"`
	Direction   string    `json:"direction" enum:"in,out"`
	State       string    `json:"state" enum:"draft,submitted,accepted,rejected,scheduled,ported,cancelled"`
	ScheduledOn string    `json:"scheduled_on,omitempty" format:"date"`
	CreatedBy   string    `json:"created_by"`
	CreatedAt   time.Time `json:"created_at"`
	ChangedAt   time.Time `json:"changed_at"`
	PortingText
}

func shownPorting(p postgres.Porting) PortingOrder {
	return PortingOrder{ID: p.ID, Tenant: p.Tenant, Direction: string(p.Direction), State: string(p.State), ScheduledOn: dayOf(p.ScheduledOn), CreatedBy: p.CreatedBy, CreatedAt: p.CreatedAt.UTC(),
		ChangedAt: p.ChangedAt.UTC(), PortingText: PortingText{Carrier: p.Carrier, Account: p.Account, Subscriber: p.Subscriber, Address: p.Address, WantedOn: dayOf(p.WantedOn), Trunk: p.Trunk,
			Note: p.Note, Numbers: append([]string{}, p.Numbers...)}}
}

func dayOf(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.DateOnly)
}

// portingStepBody is one step in the history of a porting order.
type portingStepBody struct {
	At      time.Time `json:"at"`
	Step    string    `json:"step"`
	From    string    `json:"from,omitempty"`
	To      string    `json:"to"`
	On      string    `json:"on,omitempty" format:"date" doc:"For which day it was scheduled."`
	Comment string    `json:"comment,omitempty"`
	By      string    `json:"by"`
}

// documentBody is a document, without what is in it.
type documentBody struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	ContentType string    `json:"content_type"`
	Bytes       int       `json:"bytes"`
	SHA256      string    `json:"sha256"`
	CreatedBy   string    `json:"created_by"`
	CreatedAt   time.Time `json:"created_at"`
}

func shownDocument(d postgres.Document) documentBody {
	return documentBody{ID: d.ID, Name: d.Name, ContentType: d.ContentType, Bytes: d.Bytes, SHA256: d.Hash, CreatedBy: d.CreatedBy, CreatedAt: d.CreatedAt.UTC()}
}

// wholePorting is a porting order with all that belongs to it.
type wholePorting struct {
	PortingOrder
	History   []portingStepBody `json:"history" nullable:"false"`
	Documents []documentBody    `json:"documents" nullable:"false"`
}

func shownWhole(w provisioning.PortingWhole) wholePorting {
	b := wholePorting{PortingOrder: shownPorting(w.Porting), History: []portingStepBody{}, Documents: []documentBody{}}
	for _, s := range w.History {
		b.History = append(b.History, portingStepBody{At: s.At.UTC(), Step: s.Step, From: string(s.From), To: string(s.To), On: dayOf(s.On), Comment: s.Comment, By: s.By})
	}
	for _, d := range w.Documents {
		b.Documents = append(b.Documents, shownDocument(d))
	}
	return b
}

// PortingInput names a porting order.
type PortingInput struct {
	Conditional
	Porting string `path:"porting" maxLength:"64"`
}

// portingListInput is what lists of porting orders take.
type portingListInput struct {
	ListInput
	State     string `query:"state" enum:"draft,submitted,accepted,rejected,scheduled,ported,cancelled"`
	Direction string `query:"direction" enum:"in,out"`
}

// portings are porting orders: the tenant's steps, and those of who deals with the other carrier.
func (a *API) portings() {
	tags, base := []string{"porting"}, "/v1/tenants/{tenant}/portings"
	Add(a, PortingDecide, huma.Operation{OperationID: "list-portings", Method: http.MethodGet, Path: "/v1/portings", Summary: "List the porting orders of all tenants", Tags: tags}, a.listPortings)
	Add(a, PortingRead, huma.Operation{OperationID: "list-portings-of-tenant", Method: http.MethodGet, Path: base, Summary: "List porting orders", Tags: tags}, a.listPortings)
	Add(a, PortingWrite, huma.Operation{OperationID: "create-porting", Method: http.MethodPost, Path: base, Summary: "Make the draft of a porting order", Tags: tags, DefaultStatus: http.StatusCreated},
		func(ctx context.Context, in *struct {
			Body struct {
				Direction string `json:"direction" enum:"in,out"`
				PortingText
			}
		}) (*One[PortingOrder], error) {
			text, err := in.Body.text()
			if err != nil {
				return nil, err
			}
			p, err := a.Service.CreatePorting(ctx, TenantOf(ctx), numbers.Direction(in.Body.Direction), text, CallerOf(ctx).Actor)
			return OneOf(shownPorting(p), err)
		})
	Add(a, PortingRead, huma.Operation{OperationID: "get-porting", Method: http.MethodGet, Path: base + "/{porting}", Summary: "Show a porting order with its history and documents", Tags: tags},
		func(ctx context.Context, in *PortingInput) (*One[wholePorting], error) {
			w, err := a.Service.Porting(ctx, TenantOf(ctx), in.Porting)
			return &One[wholePorting]{ETag: Tag(shownPorting(w.Porting)), Body: shownWhole(w)}, err
		})
	Add(a, PortingWrite, huma.Operation{OperationID: "update-porting", Method: http.MethodPut, Path: base + "/{porting}", Summary: "Change a porting order that is a draft, or was rejected", Tags: tags},
		func(ctx context.Context, in *struct {
			PortingInput
			Body PortingText
		}) (*One[PortingOrder], error) {
			text, err := in.Body.text()
			if err != nil {
				return nil, err
			}
			p, err := a.Service.EditPorting(ctx, TenantOf(ctx), in.Porting, text, CallerOf(ctx).Actor, func(p postgres.Porting) bool { return in.Holds(shownPorting(p)) })
			return OneOf(shownPorting(p), err)
		})
	a.portingSteps(base)
	a.portingDocuments(base)
}

func (a *API) listPortings(ctx context.Context, in *portingListInput) (*PageOutput[PortingOrder], error) {
	if err := platformOnly(ctx); err != nil {
		return nil, err
	}
	p, err := postgres.List(ctx, a.Service.Store, postgres.Portings(), in.Query(map[string]string{"state": in.State, "direction": in.Direction, "tenant": TenantOf(ctx)}))
	return shownPage(p, err, shownPorting)
}

// portingStepInput is a step of a porting order.
type portingStepInput struct {
	PortingInput
	Body struct {
		Comment string `json:"comment,omitempty" maxLength:"4096" doc:"Needed to reject."`
	}
}

func (a *API) portingSteps(base string) {
	tags := []string{"porting"}
	do := func(ctx context.Context, in PortingInput, ask provisioning.PortingAsk) (*One[PortingOrder], error) {
		ask.By, ask.Decider = CallerOf(ctx).Actor, CallerOf(ctx).May(PortingDecide)
		ask.Match = func(p postgres.Porting) bool { return in.Holds(shownPorting(p)) }
		p, err := a.Service.StepPorting(ctx, TenantOf(ctx), in.Porting, ask)
		return OneOf(shownPorting(p), err)
	}
	for _, s := range []struct {
		scope                Scope
		step                 numbers.PortStep
		summary, description string
	}{
		{PortingWrite, numbers.Submit, "Submit a porting order", "Numbers that are to come are kept for the tenant from then on."},
		{PortingWrite, numbers.Cancel, "Cancel a porting order", "Once it is scheduled that needs the scope porting:decide."},
		{PortingDecide, numbers.Accept, "Say that the other carrier has accepted a porting order", ""},
		{PortingDecide, numbers.Reject, "Say that the other carrier has rejected a porting order, and why", "The tenant can change it and submit it again."},
		{PortingDecide, numbers.Ported, "Say that the numbers have been ported", "On the day for which the order is scheduled, or later. Numbers that come are live at the tenant at once, and those that go are live no more."},
	} {
		Add(a, s.scope, huma.Operation{OperationID: string(s.step) + "-porting", Method: http.MethodPost, Path: base + "/{porting}/" + string(s.step), Summary: s.summary, Description: s.description, Tags: tags},
			func(ctx context.Context, in *portingStepInput) (*One[PortingOrder], error) {
				return do(ctx, in.PortingInput, provisioning.PortingAsk{Step: s.step, Comment: in.Body.Comment})
			})
	}
	Add(a, PortingDecide, huma.Operation{OperationID: "schedule-porting", Method: http.MethodPost, Path: base + "/{porting}/schedule", Summary: "Say on which day numbers are ported", Tags: tags},
		func(ctx context.Context, in *struct {
			PortingInput
			Body struct {
				On      string `json:"on" format:"date" example:"2026-04-01"`
				Comment string `json:"comment,omitempty" maxLength:"4096"`
			}
		}) (*One[PortingOrder], error) {
			day, err := time.Parse(time.DateOnly, in.Body.On)
			if err != nil {
				return nil, Refuse(http.StatusUnprocessableEntity, "invalid", "on is not a day, such as 2026-04-01.")
			}
			return do(ctx, in.PortingInput, provisioning.PortingAsk{Step: numbers.Schedule, On: day, Comment: in.Body.Comment})
		})
}

type documentInput struct {
	Porting  string `path:"porting" maxLength:"64"`
	Document string `path:"document" maxLength:"64"`
}

// documentOutput is a document that is given back: to be kept, and never to be shown by a browser as something of ours.
type documentOutput struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	NoSniff     string `header:"X-Content-Type-Options"`
	Policy      string `header:"Content-Security-Policy"`
	Body        []byte
}

func (a *API) portingDocuments(base string) {
	tags := []string{"porting"}
	Add(a, PortingWrite, huma.Operation{OperationID: "add-porting-document", Method: http.MethodPost, Path: base + "/{porting}/documents", Summary: "Add a document to a porting order",
		Description: "PDF, JPEG, PNG or TIFF, by its content.", Tags: tags, DefaultStatus: http.StatusCreated, MaxBodyBytes: provisioning.MaxDocumentBytes, BodyReadTimeout: sheetWait},
		func(ctx context.Context, in *struct {
			Porting string `path:"porting" maxLength:"64"`
			Name    string `query:"name" required:"true" minLength:"1" maxLength:"200" example:"letter-of-authority.pdf"`
			RawBody []byte `contentType:"application/octet-stream"`
		}) (*struct{ Body documentBody }, error) {
			d, err := a.Service.AddDocument(ctx, TenantOf(ctx), in.Porting, in.Name, in.RawBody, CallerOf(ctx).Actor)
			return &struct{ Body documentBody }{shownDocument(d)}, err
		})
	Add(a, PortingRead, huma.Operation{OperationID: "get-porting-document", Method: http.MethodGet, Path: base + "/{porting}/documents/{document}", Summary: "Get a document of a porting order, as an attachment", Tags: tags,
		Responses: map[string]*huma.Response{"200": {Description: "The document", Content: map[string]*huma.MediaType{"*/*": {Schema: &huma.Schema{Type: "string", Format: "binary"}}}}}},
		func(ctx context.Context, in *documentInput) (*documentOutput, error) {
			d, content, err := a.Service.Document(ctx, TenantOf(ctx), in.Porting, in.Document)
			return &documentOutput{ContentType: d.ContentType, Disposition: "attachment; filename*=UTF-8''" + url.PathEscape(d.Name), NoSniff: "nosniff",
				Policy: "default-src 'none'; sandbox", Body: content}, err
		})
	Add(a, PortingWrite, huma.Operation{OperationID: "delete-porting-document", Method: http.MethodDelete, Path: base + "/{porting}/documents/{document}", Summary: "Remove a document from a porting order that is a draft, or was rejected", Tags: tags},
		func(ctx context.Context, in *documentInput) (*None, error) {
			return nil, a.Service.DeleteDocument(ctx, TenantOf(ctx), in.Porting, in.Document, CallerOf(ctx).Actor)
		})
}
