package client_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"tandem/provisioning/client"
)

// Makes a user, changes him if nobody else has done so meanwhile, and follows what happens.
func Example() {
	ctx := context.Background()
	c := &client.Client{Server: "https://tandem.example.com", Key: os.Getenv("TANDEM_API_KEY")}
	made, err := c.CreateUser(client.WithKey(ctx, "0b6f6a0e-6d7c-4a31-a9a0-9d3f2f2c8b11"), "ada", client.NewUserBody{Name: "Grace Hopper", Extension: "101"})
	if refused := client.Refused(err); refused != nil {
		log.Fatal(refused.Code, ": ", refused.Detail)
	} else if err != nil {
		log.Fatal(err) // nobody has answered
	}
	if _, err := c.UpdateUser(ctx, "ada", made.Body.ID, client.UpdateUserParams{IfMatch: made.ETag()}, client.UserBody{Name: "Grace", Extension: "101"}); err != nil {
		log.Fatal(err)
	}
	users, err := c.ListUsers(ctx, "ada", client.ListUsersParams{Sort: "extension", Limit: 200})
	if err != nil {
		log.Fatal(err)
	}
	for _, u := range users.Body.Items {
		fmt.Println(u.Extension, u.Name)
	}
	events, err := c.StreamEvents(ctx, "ada", client.StreamEventsParams{})
	if err != nil {
		log.Fatal(err)
	}
	defer events.Close()
	_, _ = io.Copy(os.Stdout, events)
}
