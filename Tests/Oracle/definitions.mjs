// The names that definitions have as lists of words, without a node of their own.

const inRelation = new Set(['OBJECT_TRIGGER', 'OBJECT_RULE', 'OBJECT_POLICY', 'OBJECT_COLUMN', 'OBJECT_TABCONSTRAINT']);
const inMethod = new Set(['OBJECT_OPCLASS', 'OBJECT_OPFAMILY']);
// Objects of the whole database, which have no schema.
const global = new Set(['OBJECT_ACCESS_METHOD', 'OBJECT_DATABASE', 'OBJECT_EVENT_TRIGGER', 'OBJECT_EXTENSION',
  'OBJECT_FDW', 'OBJECT_FOREIGN_SERVER', 'OBJECT_LANGUAGE', 'OBJECT_LARGEOBJECT', 'OBJECT_PARAMETER_ACL',
  'OBJECT_PUBLICATION', 'OBJECT_ROLE', 'OBJECT_SUBSCRIPTION', 'OBJECT_TABLESPACE', 'OBJECT_TRANSFORM', 'OBJECT_CAST']);

/** Names in the lists of a definition's node; its other fields are walked by the caller. */
export function definition(type, node, { add, list }) {
  switch (type) {
    case 'DropStmt':
      node.objects?.forEach(object => named(node.removeType, object));
      break;
    case 'CommentStmt':
    case 'SecLabelStmt':
      named(node.objtype, node.object);
      break;
    case 'RenameStmt':
      named(node.renameType, node.object);
      if (node.renameType === 'OBJECT_SCHEMA') {
        add('S', null, node.subname);
      }

      break;
    case 'AlterObjectSchemaStmt':
      add('S', null, node.newschema);
      named(node.objectType, node.object);
      break;
    case 'AlterOwnerStmt':
    case 'AlterObjectDependsStmt':
      named(node.objectType, node.object);
      break;
    case 'GrantStmt':
      grant();
      break;
    case 'AlterDefaultPrivilegesStmt':
      node.options?.filter(option => option.DefElem?.defname === 'schemas')
        .forEach(option => option.DefElem.arg.List.items.forEach(schema => add('S', null, schema.String.sval)));
      break;
    case 'ObjectWithArgs':
      list('W', node.objname);
      break;
    case 'CreateFunctionStmt':
      list('W', node.funcname);
      break;
    case 'CreateTrigStmt':
      list('C', node.funcname);
      break;
    case 'DefineStmt':
    case 'CreateStatsStmt':
    case 'AlterStatsStmt':
      list('W', node.defnames);
      break;
    case 'CreateEnumStmt':
    case 'CreateRangeStmt':
    case 'AlterEnumStmt':
    case 'AlterTypeStmt':
    case 'AlterDomainStmt':
      list('W', node.typeName);
      break;
    case 'CreateDomainStmt':
      list('W', node.domainname);
      break;
    case 'AlterCollationStmt':
      list('W', node.collname);
      break;
    case 'CreateConversionStmt':
      list('W', node.conversion_name);
      list('C', node.func_name);
      break;
    case 'CreateOpClassStmt':
      list('W', node.opclassname);
      list('W', node.opfamilyname);
      break;
    case 'CreateOpFamilyStmt':
    case 'AlterOpFamilyStmt':
      list('W', node.opfamilyname);
      break;
    case 'AlterTSDictionaryStmt':
      list('W', node.dictname);
      break;
    case 'AlterTSConfigurationStmt':
      list('W', node.cfgname);
      break;
    case 'CreateSchemaStmt':
      if (node.schemaname !== undefined) {
        add('S', null, node.schemaname);
      }

      break;
    case 'ReindexStmt':
      if (node.kind === 'REINDEX_OBJECT_SCHEMA') {
        add('S', null, node.name);
      }

      break;
    case 'DefElem':
      if (node.defname === 'owned_by' && node.arg?.List?.items.length > 1) {
        list('W', node.arg.List.items.slice(0, -1));
      } else if (node.defname === 'sequence_name') {
        list('W', node.arg?.List?.items);
      }

      break;
  }

  function named(kind, object) {
    if (object === undefined || global.has(kind)) {
      return;
    }

    const words = object.List?.items;
    if (kind === 'OBJECT_SCHEMA') {
      add('S', null, object.String.sval);
    } else if (object.TypeName !== undefined) {
      list('W', object.TypeName.names);
    } else if (inRelation.has(kind)) {
      list('W', words?.slice(0, -1));
    } else if (inMethod.has(kind)) {
      list('W', words?.slice(1));
    } else if (kind === 'OBJECT_DOMCONSTRAINT') {
      list('W', words?.[0].TypeName?.names ?? words?.slice(0, -1));
    } else if (words !== undefined) {
      list('W', words);
    }
  }

  function grant() {
    const kind = node.objtype;
    for (const object of node.objects ?? []) {
      if (node.targtype === 'ACL_TARGET_ALL_IN_SCHEMA' || kind === 'OBJECT_SCHEMA') {
        add('S', null, object.String.sval);
      } else if (object.List !== undefined && !global.has(kind)) {
        list('W', object.List.items);
      }
    }
  }
}
