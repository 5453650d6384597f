DELETE FROM audit WHERE object = 'brands'; -- an undo would look for the table
DROP FUNCTION brand_over(text), brand_at(text), brand_logo(text, text);
DROP TABLE brands, brand_logos;
