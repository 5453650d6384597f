--
-- PostgreSQL database dump
--

COPY public.v_domains (domain_uuid, domain_name, domain_enabled) FROM stdin;
11111111-1111-1111-1111-111111111111	acme.example	true
\.

COPY public.v_voicemails (domain_uuid, voicemail_uuid, voicemail_id, voicemail_password, voicemail_mail_to, voicemail_enabled, greeting_id) FROM stdin;
11111111-1111-1111-1111-111111111111	a0000000-0000-0000-0000-000000000001	101	4711	desk@acme.example	true	1
11111111-1111-1111-1111-111111111111	a0000000-0000-0000-0000-000000000002	102	4712	\N	true	\N
11111111-1111-1111-1111-111111111111	a0000000-0000-0000-0000-000000000003	700	4713	\N	true	\N
\.

COPY public.v_ring_groups (domain_uuid, ring_group_uuid, ring_group_name, ring_group_extension, ring_group_strategy, ring_group_call_timeout, ring_group_timeout_app, ring_group_timeout_data, ring_group_cid_name_prefix, ring_group_enabled) FROM stdin;
11111111-1111-1111-1111-111111111111	b0000000-0000-0000-0000-000000000001	Sales	600	simultaneous	25	transfer	*99101 XML acme.example	SALES	true
11111111-1111-1111-1111-111111111111	b0000000-0000-0000-0000-000000000002	Night	601	sequence	30	hangup	\N	\N	true
11111111-1111-1111-1111-111111111111	b0000000-0000-0000-0000-000000000003	Old	602	simultaneous	30	\N	\N	\N	false
\.

COPY public.v_ring_group_destinations (domain_uuid, ring_group_uuid, destination_number, destination_delay, destination_timeout, destination_prompt, destination_enabled) FROM stdin;
11111111-1111-1111-1111-111111111111	b0000000-0000-0000-0000-000000000001	101	0	30	\N	true
11111111-1111-1111-1111-111111111111	b0000000-0000-0000-0000-000000000001	102	5	20	\N	true
11111111-1111-1111-1111-111111111111	b0000000-0000-0000-0000-000000000001	+12025550142	10	20	1	true
11111111-1111-1111-1111-111111111111	b0000000-0000-0000-0000-000000000001	999	0	30	\N	true
11111111-1111-1111-1111-111111111111	b0000000-0000-0000-0000-000000000002	103	0	30	\N	true
\.

INSERT INTO v_ivr_menus (domain_uuid, ivr_menu_uuid, ivr_menu_name, ivr_menu_extension, ivr_menu_greet_long, ivr_menu_invalid_sound, ivr_menu_timeout, ivr_menu_max_failures, ivr_menu_exit_app, ivr_menu_exit_data, ivr_menu_direct_dial, ivr_menu_enabled) VALUES
 ('11111111-1111-1111-1111-111111111111', 'c0000000-0000-0000-0000-000000000001', 'Caller''s menu', '500', 'Welcome Home.wav', 'ivr/ivr-that_was_an_invalid_entry.wav', 4000, 2, 'transfer', '600 XML acme.example', 'true', 'true'),
 ('11111111-1111-1111-1111-111111111111', 'c0000000-0000-0000-0000-000000000002', 'Sub', '501', 'sub.wav', NULL, 10000, 3, 'hangup', NULL, 'false', 'true');

INSERT INTO v_ivr_menu_options (domain_uuid, ivr_menu_uuid, ivr_menu_option_digits, ivr_menu_option_action, ivr_menu_option_param, ivr_menu_option_order) VALUES ('11111111-1111-1111-1111-111111111111', 'c0000000-0000-0000-0000-000000000001', '1', 'menu-exec-app', 'transfer 600 XML acme.example', '10'),
 ('11111111-1111-1111-1111-111111111111', 'c0000000-0000-0000-0000-000000000001', '2', 'menu-sub', 'c0000000-0000-0000-0000-000000000002', '20'),
 ('11111111-1111-1111-1111-111111111111', 'c0000000-0000-0000-0000-000000000001', '12', 'menu-exec-app', 'transfer 101 XML acme.example', '30'),
 ('11111111-1111-1111-1111-111111111111', 'c0000000-0000-0000-0000-000000000001', '9', 'menu-exec-app', 'lua directory.lua', '40'),
 ('11111111-1111-1111-1111-111111111111', 'c0000000-0000-0000-0000-000000000002', '1', 'menu-exec-app', 'transfer 101 XML acme.example', '10');

COPY public.v_dialplans (domain_uuid, dialplan_uuid, app_uuid, dialplan_name, dialplan_number, dialplan_enabled) FROM stdin;
11111111-1111-1111-1111-111111111111	d0000000-0000-0000-0000-000000000001	4b821450-926b-175a-af93-a03c441818b1	Office hours	700	true
11111111-1111-1111-1111-111111111111	d0000000-0000-0000-0000-000000000002	4b821450-926b-175a-af93-a03c441818b1	Odd weeks	701	true
\.

COPY public.v_dialplan_details (domain_uuid, dialplan_uuid, dialplan_detail_tag, dialplan_detail_type, dialplan_detail_data, dialplan_detail_group, dialplan_detail_order) FROM stdin;
11111111-1111-1111-1111-111111111111	d0000000-0000-0000-0000-000000000001	condition	destination_number	^700$	500	10
11111111-1111-1111-1111-111111111111	d0000000-0000-0000-0000-000000000001	condition	mon	12	500	20
11111111-1111-1111-1111-111111111111	d0000000-0000-0000-0000-000000000001	condition	mday	25-26	500	30
11111111-1111-1111-1111-111111111111	d0000000-0000-0000-0000-000000000001	action	transfer	601 XML acme.example	500	40
11111111-1111-1111-1111-111111111111	d0000000-0000-0000-0000-000000000001	condition	destination_number	^700$	510	50
11111111-1111-1111-1111-111111111111	d0000000-0000-0000-0000-000000000001	condition	wday	2-6	510	60
11111111-1111-1111-1111-111111111111	d0000000-0000-0000-0000-000000000001	condition	time-of-day	08:00-17:30	510	70
11111111-1111-1111-1111-111111111111	d0000000-0000-0000-0000-000000000001	action	transfer	500 XML acme.example	510	80
11111111-1111-1111-1111-111111111111	d0000000-0000-0000-0000-000000000001	condition	destination_number	^700$	999	90
11111111-1111-1111-1111-111111111111	d0000000-0000-0000-0000-000000000001	action	transfer	*99101 XML acme.example	999	100
11111111-1111-1111-1111-111111111111	d0000000-0000-0000-0000-000000000002	condition	week	1-26	500	10
11111111-1111-1111-1111-111111111111	d0000000-0000-0000-0000-000000000002	action	transfer	600 XML acme.example	500	20
\.

COPY public.v_gateways (gateway_uuid, domain_uuid, gateway, proxy) FROM stdin;
e0000000-0000-0000-0000-000000000001	11111111-1111-1111-1111-111111111111	carrier	sip.carrier.example
\.
