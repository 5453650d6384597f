import { Button } from '@mantine/core';
import { Link } from 'react-router';
import { Page } from '../parts/page';
import { Empty } from '../parts/states';

export default function Nowhere() {
  return (
    <Page title="No such page">
      <Empty title="There is nothing at this address" action={<Button component={Link} to="/">To the first page</Button>}>
        It may have been moved, or the address is not whole.
      </Empty>
    </Page>
  );
}
