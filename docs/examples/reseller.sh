#!/bin/sh
# Puts a reseller, a customer with fifty phones, ten numbers and opening hours on the air, with curl alone.
#
#   TANDEM_API      where the API is: http://127.0.0.1:8080
#   TANDEM_API_KEY  a key of the platform's that may make tenants and keys, and add numbers
#   RESELLER, CUSTOMER, DOMAIN  ids of the two, and the customer's SIP domain
#   NUMBERS         the ten numbers without their last digit: +4930901820
#   DAYS, OPENS, CLOSES  when somebody is there: 1 is Monday
#
# It prints one line for each phone: its user name and its password, which is shown this once.
set -eu
api=${TANDEM_API:-http://127.0.0.1:8080} key=${TANDEM_API_KEY:?a key of the platform is needed}
reseller=${RESELLER:-north} customer=${CUSTOMER:-harbour} domain=${DOMAIN:-harbour.example.com} numbers=${NUMBERS:-+4930901820}
days=${DAYS:-1,2,3,4,5} opens=${OPENS:-09:00} closes=${CLOSES:-17:00}

# ask METHOD PATH [BODY] sends a request with $key and prints the answer. A refusal ends the script, and says why.
ask() {
	if ! answer=$(curl --silent --show-error --fail-with-body --request "$1" --header "Authorization: Bearer $key" ${3:+--header "Content-Type: application/json" --data "$3"} "$api$2"); then
		echo "$1 $2: $answer" >&2
		exit 1
	fi
	printf '%s\n' "$answer"
}

# member NAME prints a text of the JSON that it reads.
member() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }

# The platform makes the reseller and its key, and gives it ten numbers.
ask POST /v1/tenants "{\"id\":\"$reseller\",\"kind\":\"reseller\",\"name\":\"Reseller $reseller\",\"domain\":\"$reseller.example\"}" >/dev/null
tomorrow=$(date -u -d '+1 day' +%Y-%m-%dT%H:%M:%SZ 2>/dev/null || date -u -v+1d +%Y-%m-%dT%H:%M:%SZ)
made=$(ask POST "/v1/tenants/$reseller/keys" "{\"name\":\"set-up\",\"expires_at\":\"$tomorrow\",\"scopes\":[\"tenants:read\",\"tenants:write\",\"users:write\",\"devices:write\",\"numbers:write\",\"flows:write\",\"publish:write\"]}")
list=
for n in 0 1 2 3 4 5 6 7 8 9; do list="$list${list:+,}{\"number\":\"$numbers$n\"}"; done
ask POST "/v1/tenants/$reseller/numbers" "{\"numbers\":[$list]}" >/dev/null

# From here on the reseller does everything by itself.
key=$(printf '%s' "$made" | member secret)
ask POST /v1/tenants "{\"id\":\"$customer\",\"name\":\"Customer $customer\",\"domain\":\"$domain\"}" >/dev/null
at=/v1/tenants/$customer
list=
for n in 0 1 2 3 4 5 6 7 8 9; do list="$list${list:+,}\"$numbers$n\""; done
ask POST "/v1/tenants/$reseller/numbers/assign" "{\"numbers\":[$list],\"tenant\":\"$customer\"}" >/dev/null

n=1
while [ $n -le 50 ]; do
	ask POST "$at/users" "{\"id\":\"user$n\",\"name\":\"Desk $n\",\"extension\":\"$((200 + n))\"}" >/dev/null
	phone=$(ask POST "$at/devices" "{\"id\":\"phone$n\",\"name\":\"Phone $n\",\"username\":\"phone$n\",\"user\":\"user$n\"}")
	echo "phone$n $(printf '%s' "$phone" | member password)"
	n=$((n + 1))
done

# Whoever calls while somebody is there rings three desks, and otherwise hears a tone.
ask PUT "$at/schedules/office" "{\"id\":\"office\",\"name\":\"Office\",\"weekly\":[{\"days\":[$days],\"from\":\"$opens\",\"until\":\"$closes\"}]}" >/dev/null
ask PUT "$at/flows/main" '{"id":"main","name":"Main","start":"hours","elements":{
	"hours":{"type":"hours","settings":{"schedule":"office"},"exits":{"open":"desks","closed":"tone"}},
	"desks":{"type":"ring","settings":{"users":["user1","user2","user3"],"strategy":"at_once","seconds":20}},
	"tone":{"type":"play","settings":{"prompt":"tone:closed"},"exits":{"next":"end"}},
	"end":{"type":"hangup","settings":{"cause":"NORMAL_CLEARING"}}}}' >/dev/null
for n in 0 1 2 3 4 5 6 7 8 9; do ask PUT "$at/routes/$numbers$n" '{"flow_id":"main"}' >/dev/null; done
ask POST "$at/versions" '{"comment":"on the air"}' >/dev/null
