DROP TABLE phone_access, phones;
