package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tandem/numbers"
	"tandem/postgres"
	"tandem/provisioning"
)

// numberBody is a number of the inventory. What its holder keeps for himself only he and the platform are shown.
type numberBody struct {
	Number      string     `json:"number" example:"+493012345678"`
	State       string     `json:"state" enum:"available,reserved,assigned,in_use,ageing,porting_in,porting_out,blocked," doc:"Empty: it has left the inventory."`
	Since       time.Time  `json:"since" doc:"When it came into its state."`
	Until       *time.Time `json:"until,omitempty" doc:"When it is reserved, or rests, no longer."`
	Tenant      string     `json:"tenant,omitempty" doc:"At whom it is live."`
	ReservedFor string     `json:"reserved_for,omitempty" doc:"For whom it is kept back, or comes from another carrier."`
	Country     string     `json:"country,omitempty" example:"DE"`
	Kind        string     `json:"kind,omitempty" example:"geographic"`
	Holder      string     `json:"holder,omitempty" doc:"In whose stock it is; absent: the platform's, or not shown."`
	LastTenant  string     `json:"last_tenant,omitempty" doc:"Whose it was, while it rests; for its holder alone."`
	Trunk       string     `json:"trunk,omitempty" doc:"By which its calls come; for its holder alone."`
	Note        string     `json:"note,omitempty" doc:"For its holder alone."`
}

// shownNumber is a number as somebody sees it: the tenant in the path, or the platform.
func shownNumber(ctx context.Context, r postgres.StockRow) numberBody {
	b := numberBody{Number: r.Number, State: r.State, Since: r.Since.UTC(), Tenant: r.Tenant, ReservedFor: r.ReservedFor, Country: r.Country, Kind: r.Kind}
	if r.Until != nil {
		until := r.Until.UTC()
		b.Until = &until
	}
	if within := TenantOf(ctx); within == "" || within == r.Holder {
		b.Holder, b.LastTenant, b.Trunk, b.Note = r.Holder, r.LastTenant, r.Trunk, r.Note
	}
	return b
}

func stockRow(s postgres.Stock) postgres.StockRow {
	r := postgres.StockRow{Number: s.Number.Number, Holder: s.Holder, State: string(s.State), Tenant: s.Tenant, ReservedFor: s.ReservedFor, LastTenant: s.LastTenant,
		Since: s.Since, Country: s.Country, Kind: s.Kind, Trunk: s.Trunk, Note: s.Note}
	if !s.Until.IsZero() {
		r.Until = &s.Until
	}
	return r
}

// numbersOutput are numbers that were changed together.
type numbersOutput struct {
	Body struct {
		Items []numberBody `json:"items" nullable:"false"`
	}
}

func numbersOf(ctx context.Context, stock []postgres.Stock, err error) (*numbersOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &numbersOutput{}
	out.Body.Items = make([]numberBody, 0, len(stock))
	for _, s := range stock {
		out.Body.Items = append(out.Body.Items, shownNumber(ctx, stockRow(s)))
	}
	return out, nil
}

// newNumbersInput are numbers that are to come into a stock.
type newNumbersInput struct {
	Body struct {
		Numbers []struct {
			Number  string `json:"number" pattern:"^\\+[1-9][0-9]{6,14}$" example:"+493012345678"`
			Country string `json:"country,omitempty" pattern:"^[A-Z]{2}$" example:"DE"`
			Kind    string `json:"kind,omitempty" enum:"geographic,mobile,national,toll_free,shared_cost,premium,non_geographic"`
			Trunk   string `json:"trunk,omitempty" maxLength:"64" doc:"By which its calls come."`
			Note    string `json:"note,omitempty" maxLength:"512"`
			Tenant  string `json:"tenant,omitempty" maxLength:"64" doc:"Who gets it at once."`
		} `json:"numbers" minItems:"1" maxItems:"1000" nullable:"false"`
	}
}

// NumberInput names a number.
type NumberInput struct {
	Conditional
	Number string `path:"number" maxLength:"16" example:"+493012345678"`
}

// numberTextInput changes what is said of a number.
type numberTextInput struct {
	NumberInput
	Body struct {
		Country string `json:"country,omitempty" pattern:"^[A-Z]{2}$"`
		Kind    string `json:"kind,omitempty" enum:"geographic,mobile,national,toll_free,shared_cost,premium,non_geographic"`
		Trunk   string `json:"trunk,omitempty" maxLength:"64"`
		Note    string `json:"note,omitempty" maxLength:"512"`
	}
}

type numberRules struct {
	AgeingDays int `json:"ageing_days" minimum:"0" maximum:"3650" doc:"How long a number rests after a tenant, before the next one gets it."`
}

const maxNumbersBody = 512 << 10

// numbers are the inventory, as the platform and as each tenant sees it.
func (a *API) numbers() {
	tags := []string{"numbers"}
	for _, of := range []struct{ base, suffix, whose string }{{"/v1", "", "all stocks"}, {"/v1/tenants/{tenant}", "-of-tenant", "a reseller's stock, and those at a tenant"}} {
		Add(a, NumbersRead, huma.Operation{OperationID: "list-numbers" + of.suffix, Method: http.MethodGet, Path: of.base + "/numbers", Summary: "List the numbers of " + of.whose, Tags: tags}, a.listNumbers)
		Add(a, NumbersAdd, huma.Operation{OperationID: "add-numbers" + of.suffix, Method: http.MethodPost, Path: of.base + "/numbers", Summary: "Bring numbers into a stock: all or none",
			Description: "Nobody checks whose they are outside: the scope is for the platform, and for those whom it trusts. For many numbers there is an import.", Tags: tags,
			DefaultStatus: http.StatusCreated, MaxBodyBytes: maxNumbersBody}, a.addNumbers)
		Add(a, NumbersRead, huma.Operation{OperationID: "get-number" + of.suffix, Method: http.MethodGet, Path: of.base + "/numbers/{number}", Summary: "Show a number", Tags: tags},
			func(ctx context.Context, in *NumberInput) (*One[numberBody], error) {
				if err := platformOnly(ctx); err != nil {
					return nil, err
				}
				r, err := a.Service.NumberByID(ctx, in.Number)
				return OneOf(shownNumber(ctx, r), err)
			})
		Add(a, NumbersWrite, huma.Operation{OperationID: "describe-number" + of.suffix, Method: http.MethodPut, Path: of.base + "/numbers/{number}", Summary: "Change what is said of a number of one's stock", Tags: tags},
			a.describeNumber)
		Add(a, NumbersRead, huma.Operation{OperationID: "list-number-history" + of.suffix, Method: http.MethodGet, Path: of.base + "/numbers/{number}/history", Summary: "Show what has happened to a number",
			Description: "As far as the tenant had to do with it: what was before and after him he is not shown.", Tags: tags}, a.numberHistory)
		Add(a, NumbersRead, huma.Operation{OperationID: "get-number-rules" + of.suffix, Method: http.MethodGet, Path: of.base + "/number-rules", Summary: "Show how long numbers of a stock rest", Tags: tags},
			func(ctx context.Context, _ *struct{}) (*One[numberRules], error) {
				if err := platformOnly(ctx); err != nil {
					return nil, err
				}
				days, err := a.Service.AgeingDays(ctx, TenantOf(ctx))
				return OneOf(numberRules{days}, err)
			})
		Add(a, NumbersWrite, huma.Operation{OperationID: "set-number-rules" + of.suffix, Method: http.MethodPut, Path: of.base + "/number-rules", Summary: "Say how long numbers of a stock rest, from now on", Tags: tags},
			func(ctx context.Context, in *struct{ Body numberRules }) (*One[numberRules], error) {
				if err := platformOnly(ctx); err != nil {
					return nil, err
				}
				return OneOf(in.Body, a.Service.SetAgeingDays(ctx, TenantOf(ctx), in.Body.AgeingDays))
			})
		a.numberSteps(of.base, of.suffix)
	}
}

func (a *API) listNumbers(ctx context.Context, in *struct {
	ListInput
	State      string `query:"state" enum:"available,reserved,assigned,in_use,ageing,porting_in,porting_out,blocked"`
	AssignedTo string `query:"assigned_to" maxLength:"64" doc:"Those that are live at this tenant."`
	Prefix     string `query:"prefix" maxLength:"16" example:"+4930"`
	Country    string `query:"country" pattern:"^[A-Z]{2}$"`
	Kind       string `query:"kind" maxLength:"16"`
}) (*PageOutput[numberBody], error) {
	if err := platformOnly(ctx); err != nil {
		return nil, err
	}
	p, err := postgres.List(ctx, a.Service.Store, postgres.StockRows(),
		in.Query(map[string]string{"state": in.State, "tenant": in.AssignedTo, "prefix": in.Prefix, "country": in.Country, "kind": in.Kind}))
	return shownPage(p, err, func(r postgres.StockRow) numberBody { return shownNumber(ctx, r) })
}

// shownPage makes an answer of a page, each item as it is shown.
func shownPage[R, T any](p postgres.Page[R], err error, show func(R) T) (*PageOutput[T], error) {
	if err != nil {
		return nil, err
	}
	out := &PageOutput[T]{Body: PageBody[T]{Items: make([]T, 0, len(p.Items)), Next: p.Next}}
	for _, r := range p.Items {
		out.Body.Items = append(out.Body.Items, show(r))
	}
	return out, nil
}

func (a *API) addNumbers(ctx context.Context, in *newNumbersInput) (*numbersOutput, error) {
	if err := platformOnly(ctx); err != nil {
		return nil, err
	}
	added := make([]provisioning.NewNumber, 0, len(in.Body.Numbers))
	for _, n := range in.Body.Numbers {
		added = append(added, provisioning.NewNumber{Number: n.Number, Country: n.Country, Kind: n.Kind, Trunk: n.Trunk, Note: n.Note, Tenant: n.Tenant})
	}
	stock, err := a.Service.AddStock(ctx, TenantOf(ctx), added)
	return numbersOf(ctx, stock, err)
}

func (a *API) describeNumber(ctx context.Context, in *numberTextInput) (*One[numberBody], error) {
	if err := platformOnly(ctx); err != nil {
		return nil, err
	}
	b := in.Body
	after, err := a.Service.DescribeNumber(ctx, TenantOf(ctx), in.Number, provisioning.NumberDescription{Country: &b.Country, Kind: &b.Kind, Trunk: &b.Trunk, Note: &b.Note},
		func(s postgres.Stock) bool { return in.Holds(shownNumber(ctx, stockRow(s))) })
	return OneOf(shownNumber(ctx, stockRow(after)), err)
}

func (a *API) numberHistory(ctx context.Context, in *struct {
	ListInput
	Number string `path:"number" maxLength:"16"`
}) (*PageOutput[postgres.NumberStepRow], error) {
	if err := platformOnly(ctx); err != nil {
		return nil, err
	}
	p, err := postgres.List(ctx, a.Service.Store, postgres.NumberSteps(), in.Query(map[string]string{"number": in.Number}))
	return shownPage(p, err, func(r postgres.NumberStepRow) postgres.NumberStepRow {
		r.At = r.At.UTC()
		return r
	})
}

// NumbersBody names numbers.
type NumbersBody struct {
	Numbers []string `json:"numbers" minItems:"1" maxItems:"1000" nullable:"false" example:"[\"+493012345678\"]"`
}

// NumbersToBody names numbers and the tenant who gets them.
type NumbersToBody struct {
	NumbersBody
	Tenant string `json:"tenant" minLength:"1" maxLength:"64"`
}

// NumbersForBody names numbers and whom they are kept for.
type NumbersForBody struct {
	NumbersBody
	Tenant string    `json:"tenant,omitempty" maxLength:"64" doc:"For whom, who may take them then; absent: for nobody in particular."`
	Until  time.Time `json:"until,omitzero" doc:"Within a year; absent: 14 days from now."`
}

// NumbersHandedBody names numbers and the stock that they go to.
type NumbersHandedBody struct {
	NumbersBody
	Holder string `json:"holder,omitempty" maxLength:"64" doc:"Absent: the platform, which alone can say so."`
}

// numberSteps are the steps that can be asked for, one operation each.
func (a *API) numberSteps(base, suffix string) {
	do := func(ctx context.Context, c provisioning.NumberChange) (*numbersOutput, error) {
		if err := platformOnly(ctx); err != nil {
			return nil, err
		}
		c.Within = TenantOf(ctx)
		stock, err := a.Service.StepNumbers(ctx, c)
		return numbersOf(ctx, stock, err)
	}
	op := func(step numbers.Step, summary, description string) huma.Operation {
		return huma.Operation{OperationID: string(step) + "-numbers" + suffix, Method: http.MethodPost, Path: base + "/numbers/" + string(step), Summary: summary + ": all or none",
			Description: description, Tags: []string{"numbers"}}
	}
	for _, s := range []struct {
		step                 numbers.Step
		summary, description string
	}{
		{numbers.Free, "Keep numbers back no longer", ""},
		{numbers.Release, "Give numbers back, or take them from a tenant", "They must not be used, in drafts either. They go back to whoever holds them, and rest first."},
		{numbers.Withdraw, "Take numbers from a tenant although they are used", "Drafts of routes, callers' numbers and call-back numbers go with them."},
		{numbers.Block, "Let nobody have numbers", ""},
		{numbers.Unblock, "Let numbers be given again", ""},
		{numbers.Retire, "Take numbers out of the inventory", "Their history stays."},
	} {
		Add(a, NumbersWrite, op(s.step, s.summary, s.description), func(ctx context.Context, in *struct{ Body NumbersBody }) (*numbersOutput, error) {
			return do(ctx, provisioning.NumberChange{Step: s.step, Numbers: in.Body.Numbers})
		})
	}
	for step, summary := range map[numbers.Step]string{numbers.Assign: "Give numbers to a tenant, at once", numbers.Retake: "Give numbers that rest back to who had them last, at once"} {
		Add(a, NumbersWrite, op(step, summary, "The tenant is below the holder of the numbers."), func(ctx context.Context, in *struct {
			Body NumbersToBody
		}) (*numbersOutput, error) {
			return do(ctx, provisioning.NumberChange{Step: step, Numbers: in.Body.Numbers, Tenant: in.Body.Tenant})
		})
	}
	Add(a, NumbersWrite, op(numbers.Reserve, "Keep numbers back for a time", ""), func(ctx context.Context, in *struct {
		Body NumbersForBody
	}) (*numbersOutput, error) {
		return do(ctx, provisioning.NumberChange{Step: numbers.Reserve, Numbers: in.Body.Numbers, Tenant: in.Body.Tenant, Until: in.Body.Until})
	})
	Add(a, NumbersWrite, op(numbers.Hand, "Hand numbers to the stock of a reseller below", ""), func(ctx context.Context, in *struct {
		Body NumbersHandedBody
	}) (*numbersOutput, error) {
		return do(ctx, provisioning.NumberChange{Step: numbers.Hand, Numbers: in.Body.Numbers, Holder: in.Body.Holder})
	})
}
