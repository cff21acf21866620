// The names in a parse tree of PostgreSQL, with what is done with each:
// R reads a relation, W writes, defines, alters, locks or drops, F makes a foreign key to it, C calls a function,
// T names a type, O an operator with a schema, U uses something else, S names a schema.
// A reference to a common table expression in its scope is no name. Nor is what the grammar itself adds: the tree has
// pg_catalog.int4 for "int"; only a pg_catalog that stands in the text counts.
import { definition } from './definitions.mjs';

/** @param counts gets the number of nodes of each type. */
export function namesIn(tree, sql, counts) {
  const bytes = Buffer.from(sql);
  const names = [];
  const add = (role, schema, name) => names.push([role, schema ?? null, name]);
  const walker = { add, walk, list, role: 'W' };
  for (const { stmt } of tree.stmts ?? []) {
    walk(stmt, null, 'W');
  }

  return names;

  // scope is a linked list of the common table expressions' names; role is what is done with a relation found here.
  function walk(node, scope, role) {
    if (Array.isArray(node)) {
      for (const item of node) {
        walk(item, scope, role);
      }
    } else if (node !== null && typeof node === 'object') {
      const [only, ...more] = Object.keys(node);
      if (only !== undefined && more.length === 0 && /^[A-Z]/.test(only)) {
        counts[only] = (counts[only] ?? 0) + 1;
        inside(only, node[only], scope, role);
      } else {
        inside(shape(node), node, scope, role);
      }
    }
  }

  function inside(type, node, scope, role) {
    if (node === null || typeof node !== 'object') {
      return;
    }

    if (node.withClause) {
      scope = common(node.withClause, scope);
    }

    switch (type) {
      case 'RangeVar':
        if (role !== 'R' || node.schemaname !== undefined || !knows(scope, node.relname)) {
          add(role, node.schemaname, node.relname);
        }

        return;
      case 'TypeName':
        typeName(node, scope);
        return;
      case 'FuncCall':
        if (isWritten(node.funcname, node.location)) {
          list('C', node.funcname);
        }

        break;
      case 'A_Expr':
        operator(node.name);
        break;
      case 'SubLink':
        operator(node.operName);
        break;
      case 'SortBy':
        operator(node.useOp);
        break;
      case 'CollateClause':
        list('U', node.collname);
        break;
      case 'IndexElem':
        list('U', node.collation);
        list('U', node.opclass);
        break;
      case 'RangeTableSample':
        // The server takes nothing but a sampling method here.
        list('U', node.method);
        break;
      case 'LockingClause':
        // FOR UPDATE OF names aliases.
        return;
      case 'Constraint':
        walk(node.pktable, scope, 'F');
        walk({ ...node, pktable: undefined }, scope, role);
        return;
      case 'CopyStmt':
        walk(node.relation, scope, node.is_from ? 'W' : 'R');
        walk({ ...node, relation: undefined }, scope, role);
        return;
      default:
        definition(type, node, walker);
        break;
    }

    for (const key in node) {
      const value = node[key];
      if (value !== null && typeof value === 'object' && key !== 'withClause') {
        walk(value, scope, roleOf(type, key, role));
      }
    }
  }

  function common(clause, scope) {
    counts[clause.recursive ? 'WITH RECURSIVE' : 'WITH'] = (counts[clause.recursive ? 'WITH RECURSIVE' : 'WITH'] ?? 0) + 1;
    const all = (clause.ctes ?? []).map(item => item.CommonTableExpr);
    const before = scope;
    for (const cte of all) {
      scope = { name: cte.ctename, outer: scope };
    }

    // Without RECURSIVE a common table expression knows those before it.
    let known = clause.recursive ? scope : before;
    for (const cte of all) {
      counts.CommonTableExpr = (counts.CommonTableExpr ?? 0) + 1;
      inside('CommonTableExpr', cte, known, 'W');
      known = clause.recursive ? scope : { name: cte.ctename, outer: known };
    }

    return scope;
  }

  function typeName(node, scope) {
    if (node.pct_type) {
      // A column's type: the names are [schema,] relation, column.
      list('U', node.names.slice(0, -1));
    } else if (isWritten(node.names, node.location)) {
      list('T', node.names);
    }

    walk(node.typmods, scope, 'W');
  }

  function operator(parts) {
    if (parts?.length > 1) {
      list('O', parts);
    }
  }

  function list(role, parts) {
    const words = (parts ?? []).map(part => part.String?.sval).filter(word => word !== undefined);
    if (words.length > 0) {
      add(role, words.at(-2), words.at(-1));
    }
  }

  function isWritten(parts, location) {
    if (parts?.length !== 2 || parts[0].String?.sval !== 'pg_catalog') {
      return parts?.length > 0;
    }

    return location >= 0 && /^("?pg_catalog"?|u&")/i.test(bytes.toString('utf8', location, location + 12));
  }
}

function knows(scope, name) {
  for (; scope !== null; scope = scope.outer) {
    if (scope.name === name) {
      return true;
    }
  }

  return false;
}

// Where a field has one type only, the tree has the node without its type's name.
function shape(node) {
  return typeof node.relname === 'string' ? 'RangeVar'
    : Array.isArray(node.names) && typeof node.typemod === 'number' ? 'TypeName'
    : Array.isArray(node.collname) ? 'CollateClause'
    : Array.isArray(node.funcname) && node.funcformat !== undefined ? 'FuncCall'
    : Array.isArray(node.objname) ? 'ObjectWithArgs'
    : node.op !== undefined && node.limitOption !== undefined ? 'SelectStmt'
    : '';
}

function roleOf(type, key, role) {
  switch (key) {
    case 'fromClause':
    case 'usingClause':
    case 'sourceRelation':
    case 'larg':
    case 'rarg':
      return 'R';
    case 'relation':
      return type === 'RangeTableSample' || type === 'TableLikeClause' ? 'R' : 'W';
    default:
      return type === 'JoinExpr' || type === 'List' ? role : 'W';
  }
}
