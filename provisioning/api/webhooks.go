package api

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tandem/postgres"
	"tandem/provisioning"
	"tandem/webhooks"
)

// WebhookBody is what may be said of a webhook.
type WebhookBody struct {
	URL      string   `json:"url" minLength:"1" maxLength:"2048" example:"https://example.com/hooks/tandem" doc:"HTTPS, and no private address."`
	Name     string   `json:"name,omitempty" maxLength:"256" example:"Front desk"`
	Types    []string `json:"types,omitempty" maxItems:"100" nullable:"false" example:"[\"call.ended\"]" doc:"Which events it gets; absent or empty: all."`
	Disabled bool     `json:"disabled,omitempty" doc:"It gets nothing while it is; what waits for it goes on when it is enabled again, and what has happened meanwhile can be sent again."`
}

func (b WebhookBody) settings() provisioning.WebhookSettings {
	return provisioning.WebhookSettings{URL: b.URL, Name: b.Name, Types: b.Types, Disabled: b.Disabled}
}

// NewWebhookBody is a webhook that is to be made.
type NewWebhookBody struct {
	ID string `json:"id,omitempty" pattern:"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$" doc:"Absent: one is made."`
	WebhookBody
}

// WebhookInput names a webhook.
type WebhookInput struct {
	Conditional
	Webhook string `path:"webhook" maxLength:"64"`
}

// DeliveryInput names a delivery.
type DeliveryInput struct {
	Webhook  string `path:"webhook" maxLength:"64"`
	Delivery int64  `path:"delivery" minimum:"1"`
}

// newWebhook is a webhook that was made.
type newWebhook struct {
	postgres.Webhook
	Secret string `json:"secret" doc:"With which its messages are signed (Standard Webhooks). It is not shown again."`
}

// webhookTag is of what can be set: how its receiver fares is no edit.
func webhookTag(w postgres.Webhook) string { return Tag(webhookState(w)) }

func webhookState(w postgres.Webhook) WebhookBody {
	return WebhookBody{URL: w.URL, Name: w.Name, Types: w.Types, Disabled: w.Because != ""}
}

func webhookOf(w postgres.Webhook, err error) (*One[postgres.Webhook], error) {
	if err != nil {
		return nil, err
	}
	return &One[postgres.Webhook]{ETag: webhookTag(w), Body: w}, nil
}

// eventType is a type of event.
type eventType struct {
	Type    string         `json:"type" example:"call.ended"`
	Words   string         `json:"words" doc:"When it happens."`
	Subject string         `json:"subject" doc:"What it happens to: messages of one subject are sent one after another."`
	Schema  map[string]any `json:"schema" doc:"JSON Schema of the message's body."`
}

type secretOutput struct {
	Body struct {
		Secret   string    `json:"secret" doc:"It is not shown again."`
		OldUntil time.Time `json:"old_until" doc:"Until when the one before signs beside it."`
	}
}

type eventOutput struct {
	Body struct {
		Event string `json:"event" doc:"Id of the event; its delivery is in the list of deliveries."`
	}
}

type countOutput struct {
	Body struct {
		Events int64 `json:"events" doc:"How many are sent."`
	}
}

// deliveryBody is a delivery with what was tried.
type deliveryBody struct {
	postgres.DeliveryRow
	Tried []postgres.AttemptRow `json:"tried" nullable:"false"`
}

const webhooksPath = "/v1/tenants/{tenant}/webhooks"

// webhooks are the receivers of a tenant's events.
func (a *API) webhooks() {
	tags, one := []string{"webhooks"}, webhooksPath+"/{webhook}"
	Add(a, WebhooksRead, huma.Operation{OperationID: "list-event-types", Method: http.MethodGet, Path: "/v1/event-types", Summary: "List the types of events, with the schemas of their messages", Tags: tags},
		func(context.Context, *struct{}) (*PageOutput[eventType], error) {
			page := PageBody[eventType]{Items: []eventType{}}
			for _, t := range webhooks.Types() {
				page.Items = append(page.Items, eventType{Type: t.Name, Words: t.Words, Subject: t.Subject, Schema: t.Schema()})
			}
			return &PageOutput[eventType]{Body: page}, nil
		})
	Add(a, WebhooksRead, huma.Operation{OperationID: "list-webhooks", Method: http.MethodGet, Path: webhooksPath, Summary: "List webhooks", Tags: tags},
		func(ctx context.Context, in *ListInput) (*PageOutput[postgres.Webhook], error) {
			return PageOf(postgres.List(ctx, a.Service.Store, postgres.WebhookRows(), in.Query(map[string]string{"tenant": TenantOf(ctx)})))
		})
	Add(a, WebhooksWrite, huma.Operation{OperationID: "create-webhook", Method: http.MethodPost, Path: webhooksPath, Summary: "Add a webhook", Tags: tags, DefaultStatus: http.StatusCreated},
		func(ctx context.Context, in *struct{ Body NewWebhookBody }) (*One[newWebhook], error) {
			w, secret, err := a.Service.CreateWebhook(ctx, TenantOf(ctx), in.Body.ID, in.Body.settings())
			if err != nil {
				return nil, err
			}
			return &One[newWebhook]{ETag: webhookTag(w), Body: newWebhook{Webhook: w, Secret: secret}}, nil
		})
	Add(a, WebhooksRead, huma.Operation{OperationID: "get-webhook", Method: http.MethodGet, Path: one, Summary: "Show a webhook, and how its receiver fares", Tags: tags},
		func(ctx context.Context, in *WebhookInput) (*One[postgres.Webhook], error) {
			return webhookOf(a.Service.Webhook(ctx, TenantOf(ctx), in.Webhook))
		})
	Add(a, WebhooksWrite, huma.Operation{OperationID: "update-webhook", Method: http.MethodPut, Path: one, Summary: "Change a webhook, disable or enable it", Tags: tags},
		func(ctx context.Context, in *struct {
			WebhookInput
			Body WebhookBody
		}) (*One[postgres.Webhook], error) {
			return webhookOf(a.Service.ChangeWebhook(ctx, TenantOf(ctx), in.Webhook, in.Body.settings(), func(w postgres.Webhook) bool { return in.Holds(webhookState(w)) }))
		})
	Add(a, WebhooksWrite, huma.Operation{OperationID: "delete-webhook", Method: http.MethodDelete, Path: one, Summary: "Remove a webhook, with its log", Tags: tags},
		func(ctx context.Context, in *WebhookInput) (*None, error) {
			return nil, a.Service.RemoveWebhook(ctx, TenantOf(ctx), in.Webhook)
		})
	Add(a, WebhooksWrite, huma.Operation{OperationID: "rotate-webhook-secret", Method: http.MethodPost, Path: one + "/secret", Summary: "Give a webhook another secret",
		Description: "The one before signs beside it for 24 hours.", Tags: tags},
		func(ctx context.Context, in *WebhookInput) (out *secretOutput, err error) {
			out = &secretOutput{}
			out.Body.Secret, out.Body.OldUntil, err = a.Service.RotateWebhookSecret(ctx, TenantOf(ctx), in.Webhook)
			return out, err
		})
	Add(a, WebhooksWrite, huma.Operation{OperationID: "test-webhook", Method: http.MethodPost, Path: one + "/test", Summary: "Send a test to a webhook",
		Description: "An event webhook.test, which goes the way of all events.", Tags: tags, DefaultStatus: http.StatusAccepted},
		func(ctx context.Context, in *WebhookInput) (out *eventOutput, err error) {
			out = &eventOutput{}
			out.Body.Event, err = a.Service.TestWebhook(ctx, TenantOf(ctx), in.Webhook)
			return out, err
		})
	a.deliveries(tags, one)
}

// deliveries are what was sent to a webhook.
func (a *API) deliveries(tags []string, one string) {
	Add(a, WebhooksRead, huma.Operation{OperationID: "list-webhook-deliveries", Method: http.MethodGet, Path: one + "/deliveries", Summary: "List what was sent to a webhook and what waits for it, the newest first", Tags: tags},
		func(ctx context.Context, in *struct {
			ListInput
			Webhook string `path:"webhook" maxLength:"64"`
			State   string `query:"state" enum:"waiting,delivered,failed"`
			Event   string `query:"event" maxLength:"64"`
			Type    string `query:"type" maxLength:"64"`
		}) (*PageOutput[postgres.DeliveryRow], error) {
			if _, err := a.Service.Webhook(ctx, TenantOf(ctx), in.Webhook); err != nil {
				return nil, err
			}
			in.Sort = cmp.Or(in.Sort, "-id")
			return PageOf(postgres.List(ctx, a.Service.Store, postgres.DeliveryRows(),
				in.Query(map[string]string{"tenant": TenantOf(ctx), "webhook": in.Webhook, "state": in.State, "event": in.Event, "type": in.Type})))
		})
	Add(a, WebhooksRead, huma.Operation{OperationID: "get-webhook-delivery", Method: http.MethodGet, Path: one + "/deliveries/{delivery}", Summary: "Show a delivery with all its attempts", Tags: tags},
		func(ctx context.Context, in *DeliveryInput) (*struct{ Body deliveryBody }, error) {
			page, err := postgres.List(ctx, a.Service.Store, postgres.DeliveryRows(), postgres.Query{Where: map[string]string{"tenant": TenantOf(ctx), "webhook": in.Webhook, "one": strconv.FormatInt(in.Delivery, 10)}})
			if err != nil {
				return nil, err
			}
			if len(page.Items) == 0 {
				return nil, NotHere("delivery")
			}
			tried, err := a.Service.Store.Attempts(ctx, TenantOf(ctx), in.Webhook, in.Delivery)
			if tried == nil {
				tried = []postgres.AttemptRow{}
			}
			return &struct{ Body deliveryBody }{deliveryBody{page.Items[0], tried}}, err
		})
	Add(a, WebhooksWrite, huma.Operation{OperationID: "redeliver-webhook-event", Method: http.MethodPost, Path: one + "/deliveries/{delivery}/again", Summary: "Send a delivery's event once more",
		Description: "As a delivery of its own, with the same webhook-id. One that waits is sent at once.", Tags: tags, DefaultStatus: http.StatusAccepted},
		func(ctx context.Context, in *DeliveryInput) (*None, error) {
			return nil, a.Service.DeliverAgain(ctx, TenantOf(ctx), in.Webhook, in.Delivery)
		})
	Add(a, WebhooksWrite, huma.Operation{OperationID: "redeliver-webhook-range", Method: http.MethodPost, Path: one + "/again", Summary: "Send all events of a time once more",
		Description: "Those of the types that the webhook gets, in their order, also those that it never got. Receivers know an event that they have taken by its id.", Tags: tags, DefaultStatus: http.StatusAccepted},
		func(ctx context.Context, in *struct {
			Webhook string `path:"webhook" maxLength:"64"`
			Body    struct {
				From  time.Time `json:"from" doc:"When the first was recorded."`
				Until time.Time `json:"until" doc:"Before this; at most seven days after from."`
			}
		}) (out *countOutput, err error) {
			out = &countOutput{}
			out.Body.Events, err = a.Service.DeliverRange(ctx, TenantOf(ctx), in.Webhook, in.Body.From, in.Body.Until)
			return out, err
		})
}
